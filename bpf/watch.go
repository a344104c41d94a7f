package bpf

import (
	"errors"
	"fmt"
	"io"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// What became of a task that was to be watched: the values of Wanted.State.
const (
	// WatchingNobody says that there is no such task.
	WatchingNobody = iota
	Watching
	WatchingAlready
	// WatchingNoRoom says that as many tasks are watched as can be.
	WatchingNoRoom
)

// KeyEnded is WatchedTask.Key of a task that has ended and that nobody has read of; 0 is
// that of nobody's slot.
const KeyEnded = 1

// maxWanted is how many tasks one pass over all tasks can be looked for.
const maxWanted = 64

// Watch begins to watch the tasks whose Tid and Children are set, and fills in what
// became of that: State, and of those watched where the record is and when it begins.
func (objs *Objects) Watch(tasks []Wanted) (err error) {
	iter, err := link.AttachIter(link.IterOptions{Program: objs.watch})
	if err != nil {
		return fmt.Errorf("look for tasks to watch: %w", err)
	}
	defer func() { err = errors.Join(err, iter.Close()) }()
	for len(tasks) > 0 {
		n := min(len(tasks), maxWanted)
		if err := passOver(iter, objs.wanted, tasks[:n]); err != nil {
			return fmt.Errorf("look for tasks to watch: %w", err)
		}
		tasks = tasks[n:]
	}
	return nil
}

// passOver has the program run once for every task that there is.
func passOver(iter *link.Iter, wanted *ebpf.Variable, tasks []Wanted) error {
	var table [maxWanted]Wanted
	copy(table[:], tasks)
	if err := wanted.Set(&table); err != nil {
		return err
	}
	pass, err := iter.Open()
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, pass)
	if err = errors.Join(err, pass.Close(), wanted.Get(&table)); err != nil {
		return err
	}
	copy(tasks, table[:])
	return nil
}

// makePlaces makes every slot free.
func makePlaces(c *ebpf.Collection, tasks int) error {
	fill := c.Programs[slicetraceProgStFill]
	for made := uint64(0); made < uint64(tasks); {
		ret, err := fill.Run(&ebpf.RunOptions{})
		var places Places
		if err = errors.Join(err, c.Variables[slicetraceVarStPlaces].Get(&places)); err == nil && (ret != 0 || places.Filled <= made) {
			err = fmt.Errorf("program returned %d", ret)
		}
		if err != nil {
			return fmt.Errorf("make places for %d tasks: %w", tasks, err)
		}
		made = places.Filled
	}
	return nil
}

// Kept takes the record of a task that ended while Ring was full, and makes its place
// free. The error is ebpf.ErrKeyNotExist if there is none.
func (objs *Objects) Kept() (*TaskExit, error) {
	o := TaskExit{Record: RecordTaskExit}
	if err := objs.ended.LookupAndDelete(nil, &o.Slot); err != nil {
		return nil, err
	}
	// Nobody else can take the place now, until it is free.
	err := errors.Join(objs.Tasks.Lookup(o.Slot, &o.Task), objs.final.Lookup(o.Slot, &o.Final))
	w := o.Task
	w.Key = 0
	if err = errors.Join(err, objs.Tasks.Put(o.Slot, &w), objs.free.Put(nil, o.Slot)); err != nil {
		return nil, fmt.Errorf("take record of a task that ended: %w", err)
	}
	return &o, nil
}
