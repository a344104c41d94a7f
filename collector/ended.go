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
	// known is the birth time of the youngest task from which something has to be subtracted:
	// what an earlier snapshot has seen of it, or its counters when watching began.
	// That cannot be done in a sum, so tasks up to then have rows in any case. They
	// are no more than can be watched at once.
	known uint64
	// While a snapshot is taken, nothing is added to the sum: it may have seen the task
	// alive. Those are late until settle.
	open bool
	late []bpf.Obituary
}

func (e *endedTasks) add(o *bpf.Obituary) {
	switch {
	case len(e.rows) < maxEndedRows || o.Worker.Born <= e.known:
		e.rows = append(e.rows, *o)
	case e.open:
		e.late = append(e.late, *o)
	default:
		merge(&e.rest, o)
		e.merged++
	}
}

// settle gives the late ones that were seen alive a row, and adds up the others.
func (e *endedTasks) settle(seen func(taskID) bool) {
	e.open = false
	for i := range e.late {
		if o := &e.late[i]; seen(idOf(o)) {
			e.rows = append(e.rows, *o)
		} else {
			e.add(o)
		}
	}
	e.late = nil
}
