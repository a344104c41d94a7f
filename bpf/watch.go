package bpf

import (
	"errors"
	"fmt"
	"io"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// What became of the request to watch a task: the values of Wanted.State.
const (
	// WatchingNobody means that there is no such task.
	WatchingNobody = iota
	Watching
	WatchingAlready
	// WatchingNoRoom means that no more tasks can be watched.
	WatchingNoRoom
)

// KeyEnded is WatchedTask.Key of a task that has ended, and whose record has not been read
// yet. A free slot has the key 0.
const KeyEnded = 1

// maxWanted is how many tasks can be looked for in one pass over all tasks.
const maxWanted = 64

// Watch starts to watch tasks, of which Tid and Children are set. It fills in State, and for
// the tasks that are watched now Slot and Born: where the record is, and when it begins.
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

// passOver makes the kernel run the program once for every task.
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
		err = errors.Join(err, c.Variables[slicetraceVarStPlaces].Get(&places))
		if err == nil && (ret != 0 || places.Filled <= made) {
			err = fmt.Errorf("program returned %d", ret)
		}
		if err != nil {
			return fmt.Errorf("make places for %d tasks: %w", tasks, err)
		}
		made = places.Filled
	}
	return nil
}

// Kept takes the record of a task that ended while Ring was full, and frees its place. The
// error is ebpf.ErrKeyNotExist if there is no such record.
func (objs *Objects) Kept() (*TaskExit, error) {
	o := TaskExit{Record: RecordTaskExit}
	if err := objs.ended.LookupAndDelete(nil, &o.Slot); err != nil {
		return nil, err
	}
	// The place cannot be given to another task until it is pushed to free.
	err := errors.Join(objs.Tasks.Lookup(o.Slot, &o.Task), objs.final.Lookup(o.Slot, &o.Final))
	w := o.Task
	w.Key = 0
	if err = errors.Join(err, objs.Tasks.Put(o.Slot, &w), objs.free.Put(nil, o.Slot)); err != nil {
		return nil, fmt.Errorf("take record of a task that ended: %w", err)
	}
	return &o, nil
}
