package recording

import (
	"errors"
	"fmt"
	"slices"

	"github.com/slicetrace/slicetrace/report/sched"
)

// mostFormer is how many former names of all tasks together are kept. They are still needed
// since the blocks of the cores alternate, so that time goes back from block to block.
const mostFormer = 1 << 20

// mostTID is the kernel's bound on tids, PID_MAX_LIMIT of include/linux/threads.h.
const mostTID = 1 << 22

// mostLate is by how many places a name may come too late, compared with the order of time
// of a task's names. On their way into a recording only a few names change places.
const mostLate = 64

// Names tells which names tasks had at a time, from the Task frames read so
// far. Its zero value is empty.
type Names struct {
	tasks map[sched.TID]*history
	// former, from next on, has the tid of each former name, in the order in which the
	// names were replaced.
	former []sched.TID
	next   int
	missed uint64
	most   int // mostFormer if 0; tests set it
}

// history is the names of one tid, by time. Several tasks may have had the tid.
type history struct {
	names []named
	// forgot is true if older names have been forgotten.
	forgot bool
}

type named struct {
	since int64
	tgid  sched.PID
	comm  string
}

// Learn adds names.
func (n *Names) Learn(tasks []Task) {
	if n.tasks == nil {
		n.tasks = make(map[sched.TID]*history)
	}
	for _, t := range tasks {
		if t.TID < 0 || t.TID > mostTID {
			continue // no kernel has such a task
		}
		h := n.tasks[t.TID]
		if h == nil {
			h = &history{}
			n.tasks[t.TID] = h
		}
		if h.add(named{t.TimeNS, t.TGID, t.Comm}) && len(h.names) > 1 {
			n.forget(t.TID)
		}
	}
}

// add inserts a name and reports whether the history has become longer.
func (h *history) add(name named) bool {
	at := len(h.names)
	for at > 0 && h.names[at-1].since > name.since {
		if at--; len(h.names)-at > mostLate {
			h.forgot = true
			return false
		}
	}
	if at > 0 && h.names[at-1].comm == name.comm && h.names[at-1].tgid == name.tgid {
		return false // the task had this name already
	}
	h.names = slices.Insert(h.names, at, name)
	return true
}

// forget notes that a task has one more former name, and removes the oldest former name
// of all tasks if there are too many.
func (n *Names) forget(tid sched.TID) {
	n.former = append(n.former, tid)
	most := n.most
	if most == 0 {
		most = mostFormer
	}
	if len(n.former)-n.next <= most {
		return
	}
	h := n.tasks[n.former[n.next]]
	h.names, h.forgot = h.names[1:], true
	if n.next++; n.next > most {
		n.former = append(n.former[:0], n.former[n.next:]...)
		n.next = 0
	}
}

// At returns the name that a task had at a time in CLOCK_MONOTONIC nanoseconds,
// "" if it is not known.
func (n *Names) At(tid sched.TID, timeNS int64) string {
	_, comm := n.TaskAt(tid, timeNS)
	return comm
}

// TaskAt returns the process that a task belonged to at a time in CLOCK_MONOTONIC
// nanoseconds, and the task's name; 0 and "" if they are not known.
func (n *Names) TaskAt(tid sched.TID, timeNS int64) (tgid sched.PID, comm string) {
	h := n.tasks[tid]
	if h == nil {
		return 0, ""
	}
	at := len(h.names)
	if at > 0 && h.names[at-1].since > timeNS { // otherwise it is the last name, as nearly always
		at, _ = slices.BinarySearchFunc(h.names, timeNS, func(name named, t int64) int {
			if name.since <= t {
				return -1
			}
			return 1
		})
	}
	if at > 0 {
		return h.names[at-1].tgid, h.names[at-1].comm
	}
	if h.forgot {
		n.missed++
	}
	return 0, ""
}

// ErrForgotten means that a recording has more names than a reader keeps, and that names
// were asked for which it had forgotten.
var ErrForgotten = errors.New("the recording has more names than are kept")

// Err returns ErrForgotten, wrapped, if a name was asked for that may have been forgotten.
func (n *Names) Err() error {
	if n.missed == 0 {
		return nil
	}
	return fmt.Errorf("%w: %d are missing", ErrForgotten, n.missed)
}
