package collector

import (
	"fmt"
	"slices"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/report"
)

// taskIdentity tells a task from all others, before and after it.
type taskIdentity struct {
	tid       uint32
	startTime uint64
}

// readLost counts what the interval lacks.
func (l *Live) readLost(r *Reading) error {
	var globals bpf.Globals
	if err := l.objs.Globals.Get(&globals); err != nil {
		return fmt.Errorf("read totals: %w", err)
	}
	r.Lost.UnplacedSlices = globals.MapFull - l.globals.MapFull
	r.Lost.DroppedTasks = globals.DroppedTasks - l.globals.DroppedTasks
	r.Lost.Unwatched = globals.UnwatchedCore - l.globals.UnwatchedCore
	l.globals = globals
	return l.countUnplaced(r)
}

// countUnplaced counts the tasks without a place, each in the interval in which it is first seen. Those that
// have ended before are not seen.
func (l *Live) countUnplaced(r *Reading) error {
	if r.Lost.UnplacedSlices == 0 {
		return nil
	}
	visited, err := l.objs.Visit(bpf.VisitUnplaced)
	if err != nil {
		return err
	}
	now := make(map[taskIdentity]bool)
	for i := range visited {
		id := taskIdentity{visited[i].Tid, visited[i].Facts.StartTime}
		now[id] = true
		if !l.unplaced[id] {
			r.Lost.MapFull++
		}
	}
	l.unplaced = now
	return nil
}

// findWaits finds the waits under way. It looks at all tasks only where some core has more than it can run.
func (l *Live) findWaits(now func() uint64) error {
	t := l.tasks
	t.waits, t.newcomers = nil, nil
	if !l.objs.KernelTimes {
		t.waits = t.ownWaits(now())
		return nil
	}
	if !slices.ContainsFunc(l.cores, func(c *core) bool { return c.now.Cpu.Queue > 1 }) {
		return nil
	}
	visited, err := l.objs.Visit(bpf.VisitWaits | bpf.VisitUnplaced)
	if err != nil {
		return err
	}
	t.waits = make(map[uint32]waitSoFar)
	at := now()
	for i := range visited {
		v := &visited[i]
		ns := int64(v.Waited + at - min(at, v.Queued))
		switch {
		case v.Queued == 0 || v.Unplaced != 0: // a task without a place has no row
		case v.Slot != bpf.NoSlot:
			t.waits[v.Slot] = waitSoFar{ns, v.Born, v.RunDelay}
		default:
			t.newcomers = append(t.newcomers, newcomer{v.Tid, &v.Facts, ns})
		}
	}
	return nil
}

// ownWaits finds the waits under way in the records, where these have the programs' own stamps of them.
func (t *liveTasks) ownWaits(at uint64) map[uint32]waitSoFar {
	waits := make(map[uint32]waitSoFar)
	throttled := uint8(slices.Index(report.Causes(), report.EndedByThrottled))
	for slot := range t.records {
		w := &t.records[slot]
		since := w.RunnableSince                                                    // run_delay there
		if w.Key > keyEnded && since > 0 && since < at && w.Children != throttled { // last_cause there
			waits[uint32(slot)] = waitSoFar{int64(at - since), w.Born, since}
		}
	}
	return waits
}
