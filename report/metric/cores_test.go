package metric_test

import (
	"math"
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/stats"
)

// What all cores have together is what each of them has.
func TestCoresAddUp(t *testing.T) {
	r := reporttest.System(reporttest.SystemSize{Cores: 5, Tasks: 60, Groups: 4, Intervals: 4})
	all, each := metric.SumCores(metric.SystemTrials(r))
	var wall, idle, queued int64
	var switches, waits, longest uint64
	for i := range each {
		c := &each[i]
		if int(c.CPU) != i {
			t.Errorf("core %d is at place %d", c.CPU, i)
		}
		wall, idle, queued = wall+c.WallNS, idle+c.IdleNS, queued+c.Queue.TaskNS
		switches, waits, longest = switches+c.Switches(), waits+c.Wait.Count, max(longest, c.Wait.MaxNS)
	}
	if len(each) != 5 || all.WallNS != wall || all.IdleNS != idle || all.Switches() != switches ||
		all.Wait.Count != waits || all.Wait.MaxNS != longest || all.Queue.TaskNS != queued {
		t.Errorf("%d cores with %d ns, %d idle, %d switches, %d waits, and all: %+v",
			len(each), wall, idle, switches, waits, all)
	}
	var counted uint64
	for i := range r.Trials {
		counted += r.Trials[i].Switches()
	}
	if switches != counted || r.Quality.WallNS != wall {
		t.Errorf("%d switches in %d ns, the report has %d in %d", switches, wall, counted, r.Quality.WallNS)
	}
	share := 0.0
	for _, class := range report.Classes() {
		share += all.ClassShare(class).Value
	}
	if math.Abs(share-100) > 1e-9 {
		t.Errorf("shares of classes are %v %%", share)
	}
}

func classOf(class report.Class, switches uint64, cost ...uint64) report.ClassStats {
	return report.ClassStats{Class: class, Switches: switches, Cost: reporttest.HistogramOf(1, cost...)}
}

// The time of all switches is that of the timed ones, scaled class by class.
func TestSwitchingTimeIsScaledByClass(t *testing.T) {
	for name, c := range map[string]struct {
		classes []report.ClassStats
		ns      float64
		known   bool
	}{
		"nothing": {nil, 0, false},
		"untimed": {[]report.ClassStats{classOf(report.ClassThread, 10)}, 0, false},
		"two": {[]report.ClassStats{
			classOf(report.ClassThread, 100, 300, 500), classOf(report.ClassProcess, 10, 4000),
		}, 100*400 + 10*4000, true},
		"hardly any untimed": {[]report.ClassStats{
			classOf(report.ClassThread, 1000, 300), classOf(report.ClassKernel, 10),
		}, 300_000, true},
		"many untimed": {[]report.ClassStats{
			classOf(report.ClassThread, 1000, 300), classOf(report.ClassKernel, 11),
		}, 300_000, false},
	} {
		if ns, ok := metric.SwitchingNS(c.classes); ok != c.known || ok && ns != c.ns {
			t.Errorf("%s: %v ns, %v, want %v ns, %v", name, ns, ok, c.ns, c.known)
		}
	}
}

// An interval is one sample, however many of its switches were timed.
func TestMeanCostIsOfIntervals(t *testing.T) {
	trials := func(costs ...[]uint64) (out []*report.Trial) {
		for _, c := range costs {
			core := report.Core{Classes: []report.ClassStats{classOf(report.ClassThread, 1000, c...)}}
			out = append(out, &report.Trial{Cores: []report.Core{core}})
		}
		return out
	}
	if _, ok := metric.MeanCostOf(trials(nil, nil), report.ClassThread); ok {
		t.Error("a mean of nothing")
	}
	m, ok := metric.MeanCostOf(trials([]uint64{100, 100}, nil, []uint64{400}), report.ClassThread)
	if !ok || m.NS != 200 || m.Timed != 3 || m.Intervals != 2 || m.ReachNS != 0 {
		t.Errorf("of two intervals: %+v", m)
	}
	// With equally many switches in each, it is Student's interval of the intervals' means.
	m, _ = metric.MeanCostOf(trials([]uint64{90, 110}, []uint64{200, 200}, []uint64{310, 290}), report.ClassThread)
	want := stats.StudentQuantile(0.975, 2) * 100 / math.Sqrt(3)
	if m.NS != 200 || math.Abs(m.ReachNS-want) > 1e-9 {
		t.Errorf("%+v, want a reach of %v ns", m, want)
	}
}
