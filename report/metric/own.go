package metric

import (
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/histogram"
)

// isOwn reports whether the trial's mode makes switches of a class: process switches for processes,
// thread switches for threads, all switches between user tasks for a command.
func isOwn(t *report.Trial, class report.Class) bool {
	switch t.Mode {
	case report.Processes:
		return class == report.ClassProcess
	case report.Threads:
		return class == report.ClassThread
	}
	return class == report.ClassThread || class == report.ClassProcess
}

// EachOwn calls f with the switches that the trial's mode makes, core by core.
func EachOwn(t *report.Trial, f func(report.ClassStats)) {
	for i := range t.Cores {
		for _, c := range t.Cores[i].Classes {
			if isOwn(t, c.Class) {
				f(c)
			}
		}
	}
}

// OwnPhase returns one phase of the switches that the trial's mode makes, added up over all cores.
// The result may share memory with the trial.
func OwnPhase(t *report.Trial, phase func(report.ClassStats) histogram.Histogram) histogram.Histogram {
	var sum histogram.Histogram
	EachOwn(t, func(c report.ClassStats) {
		if h := phase(c); sum.Count == 0 {
			sum = h // Merge does not write to the memory of either
		} else {
			sum.Merge(h)
		}
	})
	return sum
}

// SliceLengths adds up the workers' slices of trials over cores and reasons: their lengths in
// nanoseconds, and how many ended for each reason.
func SliceLengths(trials []*report.Trial) (length histogram.Histogram, causes report.CauseCounts) {
	var all histogram.Sum
	for _, t := range trials {
		for i := range t.Cores {
			for _, s := range t.Cores[i].Slices {
				all.Add(s.Length)
				if n := causes.At(s.EndedBy); n != nil {
					*n += s.Length.Count
				}
			}
		}
	}
	return all.Histogram(), causes
}
