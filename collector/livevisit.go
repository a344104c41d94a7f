package collector

import (
	"fmt"

	"github.com/slicetrace/slicetrace/bpf"
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
