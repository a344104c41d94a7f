package live_test

import (
	"math"
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/view/live"
)

// oneClass is an interval of 1 s on one core with 10 000 switches of a class, of which some were timed.
func oneClass(timed, cost uint64) *report.Trial {
	c := report.ClassStats{Class: report.ClassThread, Switches: 10_000}
	if timed > 0 {
		c.Cost = reporttest.HistogramOf(timed, cost)
	}
	return &report.Trial{
		Mode: report.SystemMode, DurationNS: 1e9, System: &report.System{},
		Cores: []report.Core{{WallNS: 1e9, Classes: []report.ClassStats{c}}},
	}
}

// The share of time in switching has the number of switches that it is from, and the interval of cluster
// sampling once there are three intervals with some.
func TestHeadlineOfFewTimedSwitches(t *testing.T) {
	untimed := oneClass(0, 0)
	a, b, c := oneClass(4, 1000), oneClass(4, 3000), oneClass(4, 2000)
	windows := oneClass(0, 0)
	windows.System.PhaseNS = 1e8
	for name, c := range map[string]struct {
		trials []*report.Trial
		want   live.Headline // its figures of switching
	}{
		"never timed":       {[]*report.Trial{untimed}, live.Headline{}},
		"none was there":    {[]*report.Trial{windows, untimed}, live.Headline{TimedAtAll: true}},
		"in one interval":   {[]*report.Trial{a, untimed}, headline(1, 0, 4)},
		"in two":            {[]*report.Trial{a, b}, headline(2, 0, 8)},
		"in three":          {[]*report.Trial{a, b, c}, headline(2, 2.48, 12)},
		"all of the same":   {[]*report.Trial{a, a, a}, headline(1, 0, 12)},
		"of many intervals": {repeated(a, 9), headline(1, 0, 20)},
	} {
		got := shown(c.trials...).Headline()
		if got.Switching.Known != c.want.Switching.Known ||
			math.Abs(got.Switching.Value-c.want.Switching.Value) > 0.01 {
			t.Errorf("%s: switching %+v, want %+v", name, got.Switching, c.want.Switching)
		}
		if got.SwitchingReach.Known != c.want.SwitchingReach.Known ||
			math.Abs(got.SwitchingReach.Value-c.want.SwitchingReach.Value) > 0.01 {
			t.Errorf("%s: it reaches to %+v, want %+v", name, got.SwitchingReach, c.want.SwitchingReach)
		}
		if got.Timed != c.want.Timed || got.TimedAtAll != c.want.TimedAtAll {
			t.Errorf("%s: %d timed, at all: %v", name, got.Timed, got.TimedAtAll)
		}
	}
}

func headline(share, reach float64, timed uint64) live.Headline {
	return live.Headline{
		Switching: report.Of(share, report.Percent), SwitchingReach: report.Maybe(reach, reach > 0, report.Percent),
		Timed: timed, TimedAtAll: true,
	}
}

func repeated(t *report.Trial, n int) (all []*report.Trial) {
	for range n {
		all = append(all, t)
	}
	return all
}
