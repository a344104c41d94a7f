package findings

import (
	"fmt"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

// hogsRan is the part of the workers but the first that had a core. What they do there is
// no operation of theirs.
func hogsRan() metric.Metric {
	return partOfWorkers("hogs that ran", 1, func(w *report.Worker) bool { return w.OnCPUNS > 0 })
}

// firstsWait is the wait of worker 0: the longest, or the mean over its slices.
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
	longest := e.always(l, firstsWait("sleeper's longest wait", func(w *report.Worker) (float64, bool) { return float64(w.WaitMaxNS), w.Slices > 0 }), -unbounded(), noticeableNS)
	all := e.always(l, hogsRan(), 100, 100)
	if len(longest)+len(all) == 0 {
		return ""
	}
	e.need(len(longest) > 0, "needs trials in which the sleeper wakes")
	e.need(len(all) > 0, "needs longer trials with a CPU hog beside the sleeper")
	return fmt.Sprintf("beside %d CPU hogs a sleeper waits %s on average, %s at the longest%s%s", e.workerCount(l)-1,
		quote(e.record(l, sleepersWait())), quote(worst(longest)), exceptions(longest), starvedWords(all, "all hogs advanced"))
}
