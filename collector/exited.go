package collector

import (
	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/report"
)

// maxEndedRows bounds the memory for tasks that ended within one interval. Those beyond it
// share one row.
const maxEndedRows = 4096

// exitedTasks are the records of tasks that ended since they were last taken.
type exitedTasks struct {
	rows   []bpf.TaskExit
	rest   bpf.TaskExit // the sum of those beyond maxEndedRows
	merged int          // how many those are
	// pinBefore is the birth time of the youngest task from which something has to be
	// subtracted: what an earlier snapshot has seen of it, or its counters when watching
	// began. That cannot be done in a sum, so tasks born up to then have rows in any case.
	// They are no more than can be watched at once.
	pinBefore uint64
	// While a snapshot is taken (open), no task is added to the sum, since the snapshot may
	// have seen it alive. Such tasks are in late until settle.
	open bool
	late []bpf.TaskExit
}

func (e *exitedTasks) add(o *bpf.TaskExit) {
	switch {
	case len(e.rows) < maxEndedRows || o.Task.Born <= e.pinBefore:
		e.rows = append(e.rows, *o)
	case e.open:
		e.late = append(e.late, *o)
	default:
		merge(&e.rest, o)
		e.merged++
	}
}

// settle gives a row to the late tasks that were seen alive, and adds the rest.
func (e *exitedTasks) settle(seen func(taskID) bool) {
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

// exitedCounts are the children of watched tasks that ended on one core and are counted
// instead of listed.
type exitedCounts struct {
	tasks, reconciled uint64
	onCPU, wait       uint64
	throttled         uint64
	start, run, end   latencies
}

func (c *exitedCounts) grow(now, last *bpf.ExitedCounts) {
	c.tasks, c.reconciled, c.onCPU, c.wait = now.Tasks, now.Reconciled, now.OnCpu, now.Wait
	c.throttled = now.Throttled
	c.start.grow(now.Start.Bucket[:], last.Start.Bucket[:], now.Start.Sum, now.Start.Max)
	c.run.grow(now.Run.Bucket[:], last.Run.Bucket[:], now.Run.Sum, now.Run.Max)
	c.end.grow(now.End.Bucket[:], last.End.Bucket[:], now.End.Sum, now.End.Max)
}

func (c exitedCounts) clone() exitedCounts {
	c.start, c.run, c.end = c.start.clone(), c.run.clone(), c.end.clone()
	return c
}

func (c *exitedCounts) forgetMaxima() {
	c.start.max, c.run.max, c.end.max = 0, 0, 0
}

// since returns the tasks that ended on the core between two snapshots.
func (c *exitedCounts) since(before *exitedCounts) report.Created {
	return report.Created{
		Tasks:       c.tasks - before.tasks,
		Reconciled:  c.reconciled - before.reconciled,
		OnCPUNS:     int64(c.onCPU - before.onCPU),
		WaitNS:      int64(c.wait - before.wait),
		ThrottledNS: int64(c.throttled - before.throttled),
		Start:       c.start.since(before.start),
		Run:         c.run.since(before.run),
		End:         c.end.since(before.end),
	}
}
