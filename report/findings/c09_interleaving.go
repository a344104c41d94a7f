package findings

import (
	"fmt"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

// turns is the number of slices of the worker with the fewest.
func turns() metric.Metric {
	return metric.New("fewest slices of a worker", report.Count, func(t *report.Trial) (float64, bool) {
		if len(t.Workers) == 0 {
			return 0, false
		}
		fewest := t.Workers[0].Slices
		for _, w := range t.Workers {
			fewest = min(fewest, w.Slices)
		}
		return float64(fewest), longEnough(t)
	})
}

// longEnough reports whether the trial lasted for two rotations of all workers, with slices as long
// as they had, or with the longest slice that the claim allows. In a shorter trial, a worker
// without a turn may only not have had it yet.
func longEnough(t *report.Trial) bool {
	var ran float64
	var n uint64
	for i := range t.Workers {
		ran += float64(t.Workers[i].OnCPUNS)
		n += t.Workers[i].Slices
	}
	return n > 0 && float64(t.DurationNS) >= 2*float64(len(t.Workers))*min(ran/float64(n), longestTurnNS)
}

// advanced is the part of the workers that completed an operation.
func advanced() metric.Metric {
	return partOfWorkers("workers that advanced", 0, func(w *report.Worker) bool { return w.Operations > 0 })
}

// partOfWorkers is the percentage of the workers, without those before first, for which holds is
// true.
func partOfWorkers(name string, first int, holds func(*report.Worker) bool) metric.Metric {
	return metric.New(name, report.Percent, func(t *report.Trial) (float64, bool) {
		if len(t.Workers) <= first || !longEnough(t) {
			return 0, false
		}
		n := 0
		for i := range t.Workers[first:] {
			if holds(&t.Workers[first+i]) {
				n++
			}
		}
		return 100 * float64(n) / float64(len(t.Workers)-first), true
	})
}

// interleaving decides by turns. That one worker ran at a time while all the others waited follows
// from there being one core and from no worker ever blocking.
func interleaving(e *evidence) string {
	l := oneCore()
	all := e.always(l, advanced(), 100, 100)
	had := e.always(l, turns(), leastTurns, unbounded())
	if len(all)+len(had) == 0 {
		e.missing = tooShort(e, l)
		return ""
	}
	e.record(l, metric.Parallelism())
	e.record(l, metric.Concurrency())
	return fmt.Sprintf("each of %d workers had %s turns or more%s%s",
		e.workerCount(l), extreme(had, true).Quantity(),
		starvedWords(all, "all made progress"), starvedWords(had, "each had two turns"))
}
