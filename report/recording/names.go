package recording

import (
	"errors"
	"fmt"
	"slices"
)

// mostFormer is how many names that tasks no longer have are kept, of all tasks: cores'
// blocks take turns, so that they can still be asked for.
const mostFormer = 1 << 20

// mostTID is the kernel's bound on tids, PID_MAX_LIMIT of include/linux/threads.h.
const mostTID = 1 << 22

// mostLate is how many later names of the same task can have come before a name: their
// way into a recording keeps their order but for a few.
const mostLate = 64

// Names tells what tasks were called at a time, from the Task frames read so
// far. Its zero value knows none.
type Names struct {
	tasks map[int32]*life
	// former are the tids of names that were followed by another, in the order in
	// which they were, from next on.
	former []int32
	next   int
	missed uint64
	most   int // mostFormer unless a test says otherwise
}

// life is the names of one tid, by time, whoever's it was.
type life struct {
	names []named
	// forgot says that some names before these have been forgotten.
	forgot bool
}

type named struct {
	since int64
	tgid  int32
	comm  string
}

// Learn takes tasks' names in.
func (n *Names) Learn(tasks []Task) {
	if n.tasks == nil {
		n.tasks = make(map[int32]*life)
	}
	for _, t := range tasks {
		if t.TID < 0 || t.TID > mostTID {
			continue // no kernel has such a task
		}
		l := n.tasks[t.TID]
		if l == nil {
			l = &life{}
			n.tasks[t.TID] = l
		}
		if l.add(named{t.TimeNS, t.TGID, t.Comm}) && len(l.names) > 1 {
			n.forget(t.TID)
		}
	}
}

// add reports whether there is a name more.
func (l *life) add(name named) bool {
	at := len(l.names)
	for at > 0 && l.names[at-1].since > name.since {
		if at--; len(l.names)-at > mostLate {
			l.forgot = true
			return false
		}
	}
	if at > 0 && l.names[at-1].comm == name.comm && l.names[at-1].tgid == name.tgid {
		return false // it is called so already
	}
	l.names = slices.Insert(l.names, at, name)
	return true
}

// forget notes that a task has a name more than before, and lets go of the oldest
// former name once there are too many.
func (n *Names) forget(tid int32) {
	n.former = append(n.former, tid)
	most := n.most
	if most == 0 {
		most = mostFormer
	}
	if len(n.former)-n.next <= most {
		return
	}
	l := n.tasks[n.former[n.next]]
	l.names, l.forgot = l.names[1:], true
	if n.next++; n.next > most {
		n.former = append(n.former[:0], n.former[n.next:]...)
		n.next = 0
	}
}

// At returns the name that a task had at a time in CLOCK_MONOTONIC nanoseconds,
// "" where none is known.
func (n *Names) At(tid int32, timeNS int64) string {
	_, comm := n.TaskAt(tid, timeNS)
	return comm
}

// TaskAt returns the process that a task was in at a time, and its name, 0 and "" where
// none is known.
func (n *Names) TaskAt(tid int32, timeNS int64) (tgid int32, comm string) {
	l := n.tasks[tid]
	if l == nil {
		return 0, ""
	}
	at := len(l.names)
	if at > 0 && l.names[at-1].since > timeNS { // else the last, as nearly always
		at, _ = slices.BinarySearchFunc(l.names, timeNS, func(name named, t int64) int {
			if name.since <= t {
				return -1
			}
			return 1
		})
	}
	if at > 0 {
		return l.names[at-1].tgid, l.names[at-1].comm
	}
	if l.forgot {
		n.missed++
	}
	return 0, ""
}

// ErrForgotten says that there was no memory for all names of a recording, and that some
// which were forgotten are missing from what was made of it.
var ErrForgotten = errors.New("the recording has more names than are kept")

// Err returns ErrForgotten, wrapped, if a name was asked for that had been forgotten.
func (n *Names) Err() error {
	if n.missed == 0 {
		return nil
	}
	return fmt.Errorf("%w: %d are missing", ErrForgotten, n.missed)
}
