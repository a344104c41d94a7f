package render_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/olekukonko/tablewriter/pkg/twwidth"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/findings"
	"github.com/slicetrace/slicetrace/report/metric"
	"github.com/slicetrace/slicetrace/report/render"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/sched"
	"github.com/slicetrace/slicetrace/report/view"
)

var update = flag.Bool("update", false, "rewrite the goldens in testdata")

// golden compares got with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got); refresh with -update:\n%s", name, diff)
	}
}

func text(t *testing.T, r *report.Report, opts render.TextOptions) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := render.Text(&out, r, opts); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// threeScreens is the greatest number of lines of a long report.
const threeScreens = 150

// shownReports are reports of all kinds, by the names of their goldens.
func shownReports() map[string]*report.Report {
	oneMode := reporttest.Bundled(6, 2)
	oneMode.Trials = oneMode.Trials[:2]
	findings.Compute(oneMode)
	return map[string]*report.Report{
		"default":        reporttest.Bundled(6, 2),
		"kernel-no-pick": reporttest.WithoutPick(reporttest.Bundled(6, 2)),
		"kernel-older":   reporttest.OlderKernel(reporttest.Bundled(6, 2)),
		"dirty-trust":    reporttest.Dirty(reporttest.Bundled(6, 2)),
		"command":        reporttest.Command(),
		"commands":       reporttest.Commands(12),
		"many-cores":     reporttest.Bundled(6, 128),
		"few-rounds":     reporttest.Bundled(2, 2),
		"every-workload": reporttest.Full(12, 2),
		"one-mode":       oneMode,
		"hostile-names":  reporttest.Hostile(reporttest.Command()),
		"system":         watched(),
		"system-large": reporttest.System(
			reporttest.SystemSize{Cores: 64, Tasks: 500, Groups: 30, Intervals: 3}),
		"system-hostile-names": hostileSystem(),
	}
}

func TestTextGoldens(t *testing.T) {
	for name, r := range shownReports() {
		t.Run(name, func(t *testing.T) {
			if len(metric.BundledModes(r)) > 0 {
				golden(t, name+".txt", text(t, r, render.TextOptions{Width: 80}))
			}
			got := text(t, r, render.TextOptions{Detail: view.Long})
			golden(t, "long-"+name+".txt", got)
			if n := bytes.Count(got, []byte("\n")); n > threeScreens {
				t.Errorf("%d lines are more than three screens", n)
			}
			got = append(got, text(t, r, render.TextOptions{Detail: view.Full})...)
			for i, line := range bytes.Split(got, []byte("\n")) {
				if w := twwidth.Width(string(line)); w > render.DefaultWidth {
					t.Errorf("line %d is %d columns wide: %s", i+1, w, line)
				}
			}
		})
	}
}

// hostileSystem is a watched system in which every name is hostile.
func hostileSystem() *report.Report {
	r, bad := watched(), reporttest.HostileNames()
	r.Setup.Watch = &report.Watch{
		Cgroups: bad[:5], Comms: bad[5:], PIDs: []sched.PID{4711}, UIDs: []uint32{33}, EveryNS: 1e9,
	}
	for i := range r.Trials {
		s := r.Trials[i].System
		for j := range s.Tasks {
			s.Tasks[j].Comm, s.Tasks[j].Process = bad[j%len(bad)], bad[(j+1)%len(bad)]
		}
		for j := range s.Ended {
			s.Ended[j].Comm = bad[j%len(bad)]
		}
		for j := range s.Groups {
			s.Groups[j].Name, s.Groups[j].Path, s.Groups[j].Kind = bad[j], bad[j+1], bad[j+2]
		}
	}
	return r
}

func TestVerboseTextGoldens(t *testing.T) {
	golden(t, "full-system.txt", text(t, watched(), render.TextOptions{Detail: view.Full}))
	golden(t, "full-default.txt", text(t, reporttest.Bundled(6, 2), render.TextOptions{Detail: view.Full}))
	golden(t, "full-many-cores.txt", text(t, reporttest.Bundled(6, 128), render.TextOptions{Detail: view.Full}))
	golden(t, "full-every-workload.txt", text(t, reporttest.Full(12, 2), render.TextOptions{Detail: view.Full}))
}

// hostileCommands are commands whose names are hostile.
func hostileCommands() *report.Report {
	r, bad := reporttest.Hostile(reporttest.Commands(6)), reporttest.HostileNames()
	for _, trials := range [][]report.Trial{r.Trials, r.Untraced} {
		for i := range trials {
			trials[i].Workload = bad[2+len(trials[i].Workload)%2]
		}
	}
	r.Setup.Output.Unit, r.Setup.Commands[0].Label, r.Setup.Commands[1].Line = bad[2], bad[5], bad[6]
	r.Setup.Command = nil
	return r
}

func TestMarkdown(t *testing.T) {
	for name, r := range map[string]*report.Report{
		"system": watched(), "system-hostile-names": hostileSystem(), "commands": reporttest.Commands(12),
	} {
		var out bytes.Buffer
		if err := render.Markdown(&out, view.Overview(r)); err != nil {
			t.Fatal(err)
		}
		golden(t, name+".md", out.Bytes())
	}
}

func TestTextNeverLetsHostileNamesThrough(t *testing.T) {
	for _, r := range []*report.Report{
		reporttest.Hostile(reporttest.Command()), reporttest.Hostile(reporttest.Bundled(1, 1)), hostileSystem(),
		hostileCommands(),
	} {
		for _, c := range string(text(t, r, render.TextOptions{})) {
			if c != '\n' && (!unicode.IsPrint(c) || c == utf8.RuneError || c == '\u3164') {
				t.Errorf("%q reaches the terminal", c)
			}
		}
	}
}

func TestTextWarnsInItsFirstLine(t *testing.T) {
	dirty := text(t, reporttest.Dirty(reporttest.Bundled(1, 1)), render.TextOptions{})
	if !bytes.HasPrefix(dirty, []byte("Not clean: ")) {
		t.Errorf("a dirty report begins %.40q", dirty)
	}
	clean := text(t, reporttest.Bundled(1, 1), render.TextOptions{})
	if !bytes.HasPrefix(clean, []byte("slicetrace · ")) {
		t.Errorf("a clean report begins %.40q", clean)
	}
}

func TestBoldAddsNothingButBold(t *testing.T) {
	r := reporttest.Dirty(reporttest.Bundled(1, 1))
	bold := string(text(t, r, render.TextOptions{Bold: true, Detail: view.Long}))
	if n := strings.Count(bold, "\x1b[1m"); n != 8 || strings.Count(bold, "\x1b[0m") != n {
		t.Errorf("%d bold headings, want the warning and seven sections", n)
	}
	plain := strings.NewReplacer("\x1b[1m", "", "\x1b[0m", "").Replace(bold)
	if diff := cmp.Diff(string(text(t, r, render.TextOptions{Detail: view.Long})), plain); diff != "" {
		t.Errorf("bold changes the text (-want +got):\n%s", diff)
	}
}

func TestTextFitsNarrowPages(t *testing.T) {
	r := reporttest.Hostile(reporttest.Command())
	r.Setup.Command = []string{strings.Repeat("long", 100), strings.Repeat("宽", 70)}
	got := text(t, r, render.TextOptions{Width: 84})
	for line := range strings.Lines(string(got)) {
		if w := twwidth.Width(strings.TrimSuffix(line, "\n")); w > 84 {
			t.Errorf("%d columns: %s", w, line)
		}
	}
	joined := strings.Join(strings.Fields(string(got)), "")
	if !strings.Contains(joined, strings.Repeat("long", 100)+"'"+strings.Repeat("宽", 70)+"'") {
		t.Error("a part of the command line is lost")
	}
}
