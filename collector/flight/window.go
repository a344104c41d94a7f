package flight

import (
	"slices"

	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/sched"
)

// epoch is what all cores did between two cuts.
type epoch struct {
	fromNS, endNS int64
	blocks        [][]byte // encoded
	names         []recording.Task
	ends          []taskEnd
	recording.End // only of what the epoch has
	bytes         int64
	// saving says that a file is being made of it, and gone that it has fallen out of the window.
	saving, gone bool
}

// taskEnd is the last switch of a task.
type taskEnd struct {
	tid  sched.TID
	atNS int64
}

// The memory of what is not encoded, about.
const (
	nameBytes  = 80
	endBytes   = 16
	blockBytes = 32
)

func (e *epoch) addBlock(b *recording.Block, encoded []byte) (grown int64) {
	e.blocks = append(e.blocks, encoded)
	grown = int64(cap(encoded)) + blockBytes
	e.Lost += b.Lost
	for i := range b.Events {
		v := &b.Events[i]
		if v.Kind == recording.Wakeup {
			e.Wakeups++
			continue
		}
		e.Switches++
		if v.State == 'X' {
			e.ends = append(e.ends, taskEnd{v.Prev, v.TimeNS})
			grown += endBytes
		}
	}
	e.bytes += grown
	return grown
}

func (e *epoch) addNames(names []recording.Task) (grown int64) {
	e.names = append(e.names, names...)
	grown = nameBytes * int64(len(names))
	e.bytes += grown
	return grown
}

// names are those that tasks had at a time.
type names map[sched.TID]recording.Task

// pass goes on to the end of an epoch.
func (n names) pass(e *epoch) {
	for _, t := range e.names {
		if known, ok := n[t.TID]; !ok || known.TimeNS <= t.TimeNS {
			n[t.TID] = t
		}
	}
	for _, end := range e.ends {
		if t, ok := n[end.tid]; ok && t.TimeNS < end.atNS {
			delete(n, end.tid)
		}
	}
}

// tasks returns them as the tasks that existed before a recording.
func (n names) tasks() []recording.Task {
	list := make([]recording.Task, 0, len(n))
	for _, t := range n {
		t.TimeNS, t.Parent = 0, 0
		list = append(list, t)
	}
	slices.SortFunc(list, func(a, b recording.Task) int { return int(a.TID) - int(b.TID) })
	return list
}

// window is the epochs that are kept, the oldest first.
type window struct {
	epochs []*epoch
	before names // at the beginning of the first epoch
	bytes  int64 // of the epochs, and of those that have fallen out but are being saved
	most   int64
	// shortNS is the end of the last epoch that fell out since there was no room.
	shortNS int64
}

// dropOldest lets the oldest epoch fall out.
func (w *window) dropOldest() *epoch {
	e := w.epochs[0]
	w.epochs[0] = nil
	w.epochs = w.epochs[1:]
	w.before.pass(e)
	if e.gone = true; !e.saving {
		w.bytes -= e.bytes
	}
	return e
}

// dropBefore lets the epochs fall out that end before a time.
func (w *window) dropBefore(ns int64) {
	for len(w.epochs) > 0 && w.epochs[0].endNS <= ns {
		w.dropOldest()
	}
}

// makeRoom lets epochs fall out until the window has no more bytes than it may have. It calls leaving with
// each before.
func (w *window) makeRoom(leaving func(*epoch)) {
	for w.bytes > w.most && len(w.epochs) > 0 {
		if leaving(w.epochs[0]); len(w.epochs) > 0 {
			w.shortNS = w.dropOldest().endNS
		}
	}
}

// saved forgets that a file was being made of epochs.
func (w *window) saved(epochs []*epoch) {
	for _, e := range epochs {
		if e.saving = false; e.gone {
			w.bytes -= e.bytes
		}
	}
}
