package table

import (
	"iter"

	"github.com/slicetrace/slicetrace/report"
)

// numbered is a trial with its number in running order, from 1.
type numbered struct {
	*report.Trial
	number int
}

// numberedTrials returns every trial with its number.
func numberedTrials(r *report.Report) iter.Seq[numbered] {
	return func(yield func(numbered) bool) {
		for i := range r.Trials {
			if !yield(numbered{&r.Trials[i], i + 1}) {
				return
			}
		}
	}
}

// key returns the first columns of the older tables of trials.
func (t numbered) key() []Field {
	return []Field{FreeText(t.Workload), FreeText(string(t.Mode)), Whole(t.Round)}
}

// endColumns are the last columns of those tables. Rows can be joined by them.
const endColumns = " trial load:name started_ns"

// end returns the values of endColumns.
func (t numbered) end() []Field {
	return []Field{Whole(t.number), FreeText(report.WorkloadTitle(t.Workload, t.Variant)), known(t.StartedNS)}
}

// The tables core_times, figures and histograms begin with the trial's number and names, and end
// with the other columns that the older tables have for a trial.
const (
	trialColumns = "trial load:name mode:text round "
	plainColumns = " started_ns workload:text variant:name"
)

// first returns the values of trialColumns.
func (t numbered) first() []Field {
	load := report.WorkloadTitle(t.Workload, t.Variant)
	return []Field{Whole(t.number), FreeText(load), FreeText(string(t.Mode)), Whole(t.Round)}
}

// last returns the values of plainColumns.
func (t numbered) last() []Field {
	return []Field{known(t.StartedNS), FreeText(t.Workload), FreeText(t.Variant)}
}
