package findings

import (
	"fmt"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

// busyWorkersRan is the percentage of the workers other than the first that had a core. Their
// computing does not count as operations.
func busyWorkersRan() metric.Metric {
	return partOfWorkers("CPU-bound workers that ran", 1, func(w *report.Worker) bool { return w.OnCPUNS > 0 })
}

// firstsWait is a wait of worker 0.
func firstsWait(name string, of func(w *report.Worker) (float64, bool)) metric.Metric {
	return metric.New(name, report.Nanoseconds, func(t *report.Trial) (float64, bool) {
		if len(t.Workers) == 0 {
			return 0, false
		}
		return of(&t.Workers[0])
	})
}

// sleepersWait is how long the interactive worker waited for its core, on average.
func sleepersWait() metric.Metric {
	return firstsWait("sleeper's wait mean", func(w *report.Worker) (float64, bool) {
		return float64(w.WaitNS) / float64(max(1, w.Slices)), w.Slices > 0
	})
}

func monopoly(e *evidence) string {
	l := whole("interactive")
	wait := firstsWait("sleeper's longest wait", func(w *report.Worker) (float64, bool) {
		return float64(w.WaitMaxNS), w.Slices > 0
	})
	longest := e.always(l, wait, -unbounded(), noticeableNS)
	all := e.always(l, busyWorkersRan(), 100, 100)
	if len(longest)+len(all) == 0 {
		return ""
	}
	e.need(len(longest) > 0, "needs trials in which the sleeping task wakes")
	e.need(len(all) > 0, "needs longer trials with a CPU-bound task beside the sleeping one")
	return fmt.Sprintf("beside %d CPU-bound tasks, one that mostly sleeps waits %s on average, %s at most%s%s",
		e.workerCount(l)-1, quote(e.record(l, sleepersWait())), quote(worst(longest)), exceptions(longest),
		starvedWords(all, "all CPU-bound tasks made progress"))
}
