package metric

import (
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/histogram"
)

// isOwn says whether the trial's mode makes switches of a class: process switches of
// processes, thread switches of threads, all user switches of a command.
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

// OwnPhase returns one phase of the switches that the trial's mode makes, on all cores together.
// The result may share memory with the trial.
func OwnPhase(t *report.Trial, phase func(report.ClassStats) histogram.Histogram) histogram.Histogram {
	var pool histogram.Histogram
	EachOwn(t, func(c report.ClassStats) {
		if h := phase(c); pool.Count == 0 {
			pool = h // Merge leaves the memory of both alone
		} else {
			pool.Merge(h)
		}
	})
	return pool
}

// SliceLengths pools the workers' slices of trials over cores and causes: their lengths in
// nanoseconds, and how many ended for each cause.
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
