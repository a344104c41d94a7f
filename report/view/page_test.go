package view_test

import (
	"math"
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/histogram"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/view"
)

func TestLogBinsKeepEveryValue(t *testing.T) {
	for name, values := range map[string][]uint64{
		"none": {}, "zero": {0, 0}, "one": {1}, "small": {1, 2, 3, 15, 16, 17}, "far apart": {7, 1_000_003, 1 << 60},
		"largest": {math.MaxUint64}, "like": {4_000_000, 4_000_001, 4_000_002},
	} {
		s, sum := view.LogBinsOf(reporttest.HistogramOf(1, values...)), 0.0
		for i, share := range s.Percent {
			if share < 0 {
				t.Errorf("%s: bin %d holds %v %%", name, i, share)
			}
			sum += share
		}
		if len(values) > 0 && math.Abs(sum-100) > 1e-9 {
			t.Errorf("%s: bins hold %v %%", name, sum)
		}
	}
}

// A value is never shown further away than the width of its bucket.
func TestLogBinsHaveValuesInTheirPlaces(t *testing.T) {
	for _, v := range []uint64{100, 4_000_000, 123_456_789_012} {
		s := view.LogBinsOf(reporttest.HistogramOf(1, v))
		edge := func(bin int) float64 { return math.Exp2(float64(bin) / view.BinsPerOctave) }
		low, high := edge(s.First), edge(s.First+len(s.Percent))
		if float64(v) < low/1.07 || float64(v) > high*1.07 || high/low > 1.3 {
			t.Errorf("%d ns is shown from %v to %v ns", v, low, high)
		}
	}
}

func TestLogBinsOfABentHistogram(t *testing.T) {
	h := histogram.New([]uint64{3: 1, 970: 1}, 0, 1)
	if s := view.LogBinsOf(h); len(s.Percent) == 0 {
		t.Error("nothing is shown")
	}
}

// exhibit returns one of a page's exhibits.
func exhibit(t *testing.T, p *view.Page, name string) view.Exhibit {
	t.Helper()
	for _, e := range p.Exhibits {
		if e.Name == name {
			return e
		}
	}
	t.Fatalf("there is no exhibit %s", name)
	return view.Exhibit{}
}

// Charts show the same figures as the tables beside them.
func TestChartsShowTheirTablesFigures(t *testing.T) {
	p := view.PageOf(reporttest.Full(12, 2))
	for _, name := range []string{"cost", "work", "fairness"} {
		e := exhibit(t, p, name)
		if e.Chart == nil {
			t.Fatalf("%s has no chart", name)
		}
		figures := map[report.Quantity]bool{}
		texts := map[string]bool{}
		for _, g := range e.Groups {
			for _, row := range g.Rows {
				for _, c := range row {
					figures[c.Value], texts[c.Text] = true, true
				}
			}
		}
		for _, row := range e.Chart.Rows {
			for _, point := range row.Points {
				if point.Faint && texts["~"] && point.Text.Text == "~" {
					continue // the table has no ratio where the chart shows its interval
				}
				if !figures[point.Value] {
					t.Errorf("%s: %v of %s is not in the table", name, point.Value, row.Label)
				}
			}
		}
	}
}

func TestHeadlines(t *testing.T) {
	untimed := reporttest.Bundled(6, 2)
	for i := range untimed.Trials {
		for j := range untimed.Trials[i].Cores {
			untimed.Trials[i].Cores[j].Classes = nil
		}
	}
	noPick, oneMode := reporttest.WithoutPick(reporttest.Bundled(6, 2)), reporttest.Bundled(6, 2)
	oneMode.Trials = oneMode.Trials[2:4]
	for want, r := range map[string]*report.Report{
		"A context switch costs 656 ns between threads and 3.72 µs between processes (pipe).": reporttest.Bundled(6, 2),
		"The switch phase of a context switch takes ":                                         noPick,
		"A context switch costs 658 ns between threads (pipe).":                               oneMode,
		"is not known": untimed,
		"The command ran 12.3 s, during which the cores switched 4 520 times.": reporttest.Command(),
	} {
		if got := view.PageOf(r).Headline; !strings.Contains(got, want) {
			t.Errorf("headline %q does not say %q", got, want)
		}
	}
}

func TestPageShowsADirtyReportsAlert(t *testing.T) {
	p := view.PageOf(reporttest.Dirty(reporttest.Bundled(6, 2)))
	if !strings.HasPrefix(p.Summary.Alert, "Not clean: ") {
		t.Errorf("the alert is %q", p.Summary.Alert)
	}
}
