package metric

import "github.com/slicetrace/slicetrace/report"

// walks returns how long a worker took to go through its memory just after a switch, and how long
// it takes without a switch, both in nanoseconds. Both are medians of walks through dependent
// loads; the walk without a switch is that of a single worker through the buffers of all workers.
// Reports of earlier versions have means of independent accesses instead, and for the time without
// a switch that of a second pass right after the first.
func walks(t *report.Trial) (after, alone float64, ok bool) {
	switched, ok1 := WorkloadFigure(t, "walk_switched_p50_ns") // a sum over workers
	single, ok2 := WorkloadFigure(t, "walk_alone_p50_ns")
	if ok1 && ok2 && len(t.Workers) > 0 {
		return float64(switched) / float64(len(t.Workers)), float64(single), true
	}
	first, ok1 := WorkloadFigure(t, "first_pass_ns")
	second, ok2 := WorkloadFigure(t, "second_pass_ns")
	if !ok1 || !ok2 || t.Operations == 0 {
		return 0, 0, false
	}
	turns := float64(t.Operations)
	return float64(first) / turns, float64(second) / turns, true
}

// WalkAfter is how long a worker takes to go through its memory after a switch, in nanoseconds.
func WalkAfter() Metric {
	return New("going through memory after a switch", report.Nanoseconds, func(t *report.Trial) (float64, bool) {
		after, _, ok := walks(t)
		return after, ok
	})
}

// WalkAlone is the same without a switch, in nanoseconds.
func WalkAlone() Metric {
	return New("going through memory without a switch", report.Nanoseconds, func(t *report.Trial) (float64, bool) {
		_, alone, ok := walks(t)
		return alone, ok
	})
}

// CacheRefillCost is how much longer a worker took to go through its memory after a switch than
// without one, because caches and TLB were colder.
func CacheRefillCost() Metric {
	return New("cache refill", report.Nanoseconds, func(t *report.Trial) (float64, bool) {
		after, alone, ok := walks(t)
		return after - alone, ok
	})
}
