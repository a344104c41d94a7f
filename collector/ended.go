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
	// known is when the last task was born of which something has to be subtracted:
	// what an earlier snapshot has seen of it, or its counters when watching began.
	// That cannot be done in a sum, so tasks up to then have rows in any case. They
	// are no more than can be watched at once.
	known uint64
}

func (e *endedTasks) add(o *bpf.Obituary) {
	if len(e.rows) < maxEndedRows || o.Worker.Born <= e.known {
		e.rows = append(e.rows, *o)
		return
	}
	merge(&e.rest, o)
	e.merged++
}
