package findings

import (
	"fmt"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

// endedByTick is the percentage of workers' slices that the timer ended. It leaves out the last
// slice of each worker, which ends when the worker blocks at the end of the trial.
func endedByTick() metric.Metric {
	return metric.New("slices ended by tick", report.Percent, func(t *report.Trial) (float64, bool) {
		length, causes := metric.SliceLengths([]*report.Trial{t})
		n := length.Count - min(length.Count, causes.Blocked, uint64(len(t.Workers)))
		return 100 * float64(causes.Tick) / float64(max(1, n)), n >= metric.LeastForQuantile
	})
}

// switchedByTick is the percentage of the ticks that interrupted work, on the workers' busiest
// core, at which a worker lost the core.
func switchedByTick() metric.Metric {
	return metric.New("ticks that switched", report.Percent, func(t *report.Trial) (float64, bool) {
		c := busiest(t)
		if c == nil || c.BusyTicks == nil || *c.BusyTicks == 0 {
			return 0, false
		}
		_, causes := metric.SliceLengths([]*report.Trial{t})
		return 100 * float64(causes.Tick) / float64(*c.BusyTicks), true
	})
}

func tickRate() metric.Metric {
	return metric.New("busiest core's ticks", report.PerSecond, func(t *report.Trial) (float64, bool) {
		c := busiest(t)
		if c == nil || c.Ticks == nil {
			return 0, false
		}
		return 1e9 * float64(*c.Ticks) / float64(c.WallNS), c.WallNS > 0
	})
}

// busiest returns the core on which workers ran longest, nil if there is none.
func busiest(t *report.Trial) *report.Core {
	var best *report.Core
	for i := range t.Cores {
		if c := &t.Cores[i]; best == nil || c.WorkersNS > best.WorkersNS {
			best = c
		}
	}
	return best
}

func ticking(e *evidence) string {
	if e.report.Capture.Tick == "" {
		e.missing = "needs the timer's tracepoint, which this kernel does not offer: slicetrace check"
		return ""
	}
	l := oneCore()
	ended := e.within(l, endedByTick(), mostlyTick, 100)
	lone := e.within(metric.Load{Name: "spin", Variant: "alone"}, switchedByTick(), 0, seldomTick)
	if len(ended)+len(lone) == 0 {
		e.missing = tooShort(e, l)
		return ""
	}
	e.need(len(ended) > 0, "needs spin one core, with ten slices a trial")
	e.need(len(lone) > 0, "needs spin alone")
	return fmt.Sprintf("the busy core ticks %s; %s of the slices of competing tasks end by a tick; "+
		"of the ticks that interrupt a lone task, %s end its slice",
		quote(e.record(l, tickRate())), quote(ended), quote(lone))
}
