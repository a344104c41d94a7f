package collector

import "github.com/slicetrace/slicetrace/bpf"

// maxEndedRows bounds the memory for tasks that ended within one interval:
// those beyond it share one row.
const maxEndedRows = 4096

// endedTasks are the records of tasks that ended since they were last taken.
type endedTasks struct {
	rows   []bpf.Obituary
	rest   bpf.Obituary // the sum of those beyond maxEndedRows
	merged int          // how many those are
}

func (e *endedTasks) add(o *bpf.Obituary) {
	if len(e.rows) < maxEndedRows {
		e.rows = append(e.rows, *o)
		return
	}
	merge(&e.rest, o)
	e.merged++
}
