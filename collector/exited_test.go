package collector

import (
	"testing"

	"github.com/slicetrace/slicetrace/bpf"
)

// If many tasks ended, those have rows from which something has to be subtracted, and those
// that the snapshot under way has seen alive and would show twice.
func TestEndedTasksBeyondTheRows(t *testing.T) {
	const known, seen = 7, 20_000
	e := exitedTasks{pinBefore: known}
	end := func(born uint64) { e.add(&bpf.TaskExit{Task: bpf.WatchedTask{Born: born, OnCpu: 1}}) }
	for born := range uint64(maxEndedRows) {
		end(100 + born)
	}
	end(10_000)
	end(known)
	e.open = true
	end(10_001)
	end(seen)
	end(known)
	if e.merged != 1 || len(e.rows) != maxEndedRows+2 {
		t.Errorf("%d tasks merged and %d rows, want 1 and %d", e.merged, len(e.rows), maxEndedRows+2)
	}
	e.settle(func(id taskID) bool { return id.born == seen })
	end(10_002)
	if e.merged != 3 || e.rest.Task.OnCpu != 3 || len(e.rows) != maxEndedRows+3 || len(e.late) > 0 {
		t.Errorf("%d tasks merged, with a time of %d, and %d rows, want 3, 3 and %d",
			e.merged, e.rest.Task.OnCpu, len(e.rows), maxEndedRows+3)
	}
	if last := e.rows[len(e.rows)-1].Task.Born; last != seen {
		t.Errorf("the last row is of the task born at %d, want the one that was seen", last)
	}
}
