package render_test

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/render"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

// drawnData is what the page's script draws.
type drawnData struct {
	Loads []struct {
		Name  string
		Kinds []struct {
			Name  string
			Modes []struct {
				Mode    string
				Percent []float64
			}
		}
	}
	Windows []drawnWindow
}

type drawnWindow struct {
	Name   string
	Length int64
	CPUs   []int
	Tasks  []string
	Slices [][][6]int64
}

// The page's script draws the same figures as the tables beside it.
func TestPageDrawsWhatItsTablesSay(t *testing.T) {
	html := page(t, reporttest.Full(2, 2), render.PageOptions{Windows: windows(t)})
	text := regexp.MustCompile(`(?s)<script type="application/json" id="data">(.*?)</script>`).FindSubmatch(html)
	if text == nil {
		t.Fatal("the page has no data")
	}
	var data drawnData
	if err := json.Unmarshal(text[1], &data); err != nil {
		t.Fatal(err)
	}
	curves, bars := 0, 0
	for _, l := range data.Loads {
		for _, k := range l.Kinds {
			for _, m := range k.Modes {
				sum := 0.0
				for _, p := range m.Percent {
					sum += p
				}
				if curves++; math.Abs(sum-100) > 1e-4*float64(len(m.Percent)) {
					t.Errorf("%s, %s, %s: the curve's parts are %v %%", l.Name, k.Name, m.Mode, sum)
				}
			}
		}
	}
	shown := words(html)
	for _, w := range data.Windows {
		bars += w.check(t, shown)
	}
	if curves == 0 || bars == 0 {
		t.Errorf("%d curves and %d bars are drawn", curves, bars)
	}
}

// A window is named after what its trial was: work in a mode, a command, or an interval of a watch.
func TestWindowsAreNamed(t *testing.T) {
	for mode, want := range map[report.Mode]string{
		report.Threads: "pipe as threads", report.Command: "pipe", report.SystemMode: "interval 3", "": "the recording",
	} {
		all := windows(t)[:1]
		all[0].Mark.Workload, all[0].Mark.Variant, all[0].Mark.Mode, all[0].Mark.Round = "pipe", "", string(mode), 3
		html := page(t, watched(), render.PageOptions{Windows: all})
		if !strings.Contains(string(html), `<option value="0">`+want+`</option>`) {
			t.Errorf("a window of mode %q is not named %q", mode, want)
		}
	}
}

// check compares the bars of a window with the words of the page, and returns how many there are.
func (w *drawnWindow) check(t *testing.T, shown string) (bars int) {
	t.Helper()
	slices, onCPU, longest := make([]int64, len(w.Tasks)), make([]int64, len(w.Tasks)), make([]int64, len(w.Tasks))
	if len(w.Slices) != len(w.CPUs) {
		t.Errorf("%s: lanes of %d cores, of %d named", w.Name, len(w.Slices), len(w.CPUs))
	}
	for _, lane := range w.Slices {
		end := int64(math.MinInt64)
		for _, s := range lane {
			start, length, task := s[0], s[1], s[2]
			if start < end || length < 0 || start > w.Length || start+length < 0 {
				t.Fatalf("%s: a slice from %d of %d, after one to %d in %d", w.Name, start, length, end, w.Length)
			}
			end = start + length
			bars++
			slices[task]++
			onCPU[task] += max(0, min(end, w.Length)-max(start, 0)) // inside the window
			longest[task] = max(longest[task], length)
		}
	}
	if want := fmt.Sprintf("%s slices.", report.Of(float64(bars), report.Count)); !strings.Contains(shown, want) {
		t.Errorf("%s: the page does not say %q", w.Name, want)
	}
	ns := func(n int64) string { return report.Of(float64(n), report.Nanoseconds).String() }
	for i, task := range w.Tasks {
		count := report.Of(float64(slices[i]), report.Count)
		want := spaced(fmt.Sprintf("%s %s %s", count, ns(onCPU[i]), ns(longest[i])))
		row := regexp.MustCompile(regexp.QuoteMeta(task) + ` (other|worker \d+|task \d+) ` + regexp.QuoteMeta(want))
		if !row.MatchString(shown) {
			t.Errorf("%s: no row of %s says %q", w.Name, task, want)
		}
	}
	return bars
}
