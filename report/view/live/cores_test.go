package live_test

import (
	"math"
	"slices"
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/sched"
	"github.com/slicetrace/slicetrace/report/view/live"
)

func TestCoreFigures(t *testing.T) {
	m := shown(small())
	cores := m.Cores(live.CoreOptions{})
	checkRow(t, cores, "all", map[string]string{
		"switches/s": "20 500/s", "thread": "73 %", "process": "24 %", "idle": "2 %", "cost p50": "1.00 µs",
		"timed": "200",
		"busy":  "25.0 %", "queue": "1.50", "longest": "4", "near/s": "9/s", "far/s": "3/s", "wait p99": "10.0 µs",
	})
	checkRow(t, cores, "core 0", map[string]string{
		"switching": "2.0 %", "busy": "50.0 %", "thread": "75 %", "near/s": "6/s", "far/s": "1/s",
	})
	// None of this core's switches was timed, nor any of their class on another core.
	checkRow(t, cores, "core 3", map[string]string{
		"switching": "–", "cost p50": "–", "timed": "0", "busy": "0 %", "queue": "–", "wait p50": "–",
		"near/s": "3/s", "far/s": "2/s",
	})
	older := small()
	older.System.Arrivals = nil
	checkRow(t, shown(older).Cores(live.CoreOptions{}), "all", map[string]string{"near/s": "9/s", "far/s": "3/s"})
	checkRow(t, shown(older).Cores(live.CoreOptions{}), "core 0", map[string]string{"near/s": "–", "far/s": "–"})
	h := m.Headline()
	got := []string{h.Switches.String(), h.OwnCost.String(), h.Interval.String()}
	if want := []string{"20 500/s", "1.0 %", "2.00 s"}; !slices.Equal(got, want) || h.Cores != 2 || h.Tasks != 10 ||
		h.OwnCostPartly || h.Losses.Any() {
		t.Errorf("headline %+v", h)
	}
}

// Switches are timed in some intervals only: their costs are those of the last intervals with any.
func TestCostsOfEarlierIntervals(t *testing.T) {
	timed, untimed := small(), small()
	for i := range untimed.Cores {
		for j := range untimed.Cores[i].Classes {
			c := &untimed.Cores[i].Classes[j]
			c.Switches, c.Cost = 2*c.Switches, reporttest.HistogramOf(0)
		}
	}
	m := shown(timed, untimed)
	checkRow(t, m.Cores(live.CoreOptions{}), "core 0", map[string]string{"switching": "4.0 %", "timed": "200"})
	checkRow(t, shown(untimed).Cores(live.CoreOptions{}), "core 0", map[string]string{"switching": "–", "timed": "0"})
	all := []*report.Trial{timed, timed, timed, timed, timed, timed, timed}
	checkRow(t, shown(all...).Cores(live.CoreOptions{}), "core 0", map[string]string{"timed": "1 000"})
}

// On a machine with many cores, sets of cores come first, then the core that loses most.
func TestManyCores(t *testing.T) {
	r := reporttest.System(reporttest.SystemSize{Cores: 16, Tasks: 200, Groups: 4, Intervals: 1})
	m := live.New([]live.CoreGroup{
		{Name: "node 0", CPUs: []sched.CPU{0, 1, 2, 3, 4, 5, 6, 7}},
		{Name: "node 1", CPUs: []sched.CPU{8, 9, 10, 11, 12, 13, 14, 15}},
	})
	m.Add(&r.Trials[0])
	m.Update()
	table := m.Cores(live.CoreOptions{})
	if table.Cell(0, 0).Text != "all" || table.Cell(1, 0).Text != "node 0" || table.Cell(2, 0).Text != "node 1" {
		t.Errorf("rows begin with %q, %q, %q", table.Cell(0, 0).Text, table.Cell(1, 0).Text, table.Cell(2, 0).Text)
	}
	at, rate := column(table, "switching"), column(table, "switches/s")
	for i := 4; i < table.Rows(); i++ {
		if a, b := table.Cell(i-1, at).Value, table.Cell(i, at).Value; b.Known && a.Value < b.Value {
			t.Errorf("row %d loses %v, the one before %v", i, b, a)
		}
	}
	sum := table.Cell(1, rate).Value.Value + table.Cell(2, rate).Value.Value
	if all := table.Cell(0, rate).Value.Value; math.Abs(sum-all) > 1e-6*all {
		t.Errorf("the nodes have %v of %v switches a second", sum, all)
	}
	few := shown(small()).Cores(live.CoreOptions{})
	if few.Sort != -1 || few.Cell(1, 0).Text != "core 0" || few.Cell(2, 0).Text != "core 3" {
		t.Error("a few cores are not in the order of their numbers")
	}
}
