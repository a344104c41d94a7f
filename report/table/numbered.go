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

// numberedTrials returns every trial.
func numberedTrials(r *report.Report) iter.Seq[numbered] {
	return func(yield func(numbered) bool) {
		for i := range r.Trials {
			if !yield(numbered{&r.Trials[i], i + 1}) {
				return
			}
		}
	}
}

// key returns the columns that the first tables of trials begin with.
func (t numbered) key() []Field {
	return []Field{free(t.Workload), free(string(t.Mode)), integer(t.Round)}
}

// endColumns are the last columns of those tables, by which their rows are joined.
const endColumns = " trial load:name started_ns"

// end returns the fields of endColumns.
func (t numbered) end() []Field {
	return []Field{integer(t.number), free(report.WorkloadTitle(t.Workload, t.Variant)), known(t.StartedNS)}
}

// The tables of core_times, figures and histograms begin with the trial's number and names and
// end with what else the older tables have of a trial.
const (
	trialColumns = "trial load:name mode:text round "
	plainColumns = " started_ns workload:text variant:name"
)

// first returns the fields of trialColumns.
func (t numbered) first() []Field {
	return []Field{integer(t.number), free(report.WorkloadTitle(t.Workload, t.Variant)), free(string(t.Mode)), integer(t.Round)}
}

// last returns the fields of plainColumns.
func (t numbered) last() []Field {
	return []Field{known(t.StartedNS), free(t.Workload), free(t.Variant)}
}
