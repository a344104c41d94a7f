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
