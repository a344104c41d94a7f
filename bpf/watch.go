package bpf

import (
	"errors"
	"fmt"
	"io"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// What became of the request to watch a task: the values of Wanted.State.
const (
	// WatchingNobody means that there is no such task.
	WatchingNobody  = uint8(slicetraceWatchingWATCHING_NOBODY)
	Watching        = uint8(slicetraceWatchingWATCHING)
	WatchingAlready = uint8(slicetraceWatchingWATCHING_ALREADY)
	// WatchingNoRoom means that no more tasks can be watched.
	WatchingNoRoom = uint8(slicetraceWatchingWATCHING_NO_ROOM)
)

// Watch starts to watch tasks, of which Tid and Children are set. It fills in State, and for
// the tasks that are watched now Slot and Born: where the record is, and when it begins.
func (objs *Objects) Watch(tasks []Wanted) (err error) {
	iter, err := link.AttachIter(link.IterOptions{Program: objs.watch})
	if err != nil {
		return fmt.Errorf("look for tasks to watch: %w", err)
	}
	defer func() { err = errors.Join(err, iter.Close()) }()
	table := wantedTable(objs.wanted)
	for len(tasks) > 0 {
		n := copy(table, tasks)
		clear(table[n:])
		if err := passOver(iter, objs.wanted, table); err != nil {
			return fmt.Errorf("look for tasks to watch: %w", err)
		}
		copy(tasks, table[:n])
		tasks = tasks[n:]
	}
	return nil
}

// wantedTable returns as many tasks as can be looked for in one pass over all tasks.
func wantedTable(wanted *ebpf.Variable) []Wanted {
	return make([]Wanted, wanted.Size()/uint32(unsafe.Sizeof(Wanted{})))
}

// passOver makes the kernel run the program once for every task.
func passOver(iter *link.Iter, wanted *ebpf.Variable, table []Wanted) error {
	if err := wanted.Set(table); err != nil {
		return err
	}
	pass, err := iter.Open()
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, pass)
	return errors.Join(err, pass.Close(), wanted.Get(table))
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

// Kept takes the record of a task that ended while Ring was full, and frees its place when use, which may look at
// what else belongs to that, has returned. The error is ebpf.ErrKeyNotExist if there is no such record.
func (objs *Objects) Kept(use func(*TaskExit)) error {
	o := TaskExit{Record: RecordTaskExit}
	if err := objs.ended.LookupAndDelete(nil, &o.Slot); err != nil {
		return err
	}
	// The place cannot be given to another task until it is pushed to free.
	err := errors.Join(objs.Tasks.Lookup(o.Slot, &o.Task), objs.final.Lookup(o.Slot, &o.Final))
	if err == nil {
		use(&o)
	}
	w := o.Task
	w.Key = 0
	if err = errors.Join(err, objs.Tasks.Put(o.Slot, &w), objs.free.Put(nil, o.Slot)); err != nil {
		return fmt.Errorf("take record of a task that ended: %w", err)
	}
	return nil
}
