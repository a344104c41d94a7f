package bpf

import (
	"testing"

	"github.com/cilium/ebpf"
)

// oneCell makes an index in which all tasks share their cell.
func oneCell(spec *ebpf.CollectionSpec) {
	if err := spec.Variables[slicetraceVarIndexMask].Set(uint32(0)); err != nil {
		panic(err)
	}
}

// collisions counts the entries of st_collisions.
func (r *replay) collisions() (n int) {
	r.t.Helper()
	var key uint64
	var slot uint32
	entries := r.maps[slicetraceMapStCollisions].Iterate()
	for entries.Next(&key, &slot) {
		n++
	}
	r.must(entries.Err())
	return n
}

// free returns the slots that no task holds, and takes them.
func (r *replay) free() (slots []uint32) {
	for {
		var slot uint32
		if err := r.objs.free.LookupAndDelete(nil, &slot); err != nil {
			return slots
		}
		slots = append(slots, slot)
	}
}

// die is a task's last slice, of 1000.
func (r *replay) die(at uint64, task int) {
	r.t.Helper()
	f := r.fakes[task]
	f.state = dead
	r.task(task, f)
	r.turn(0, at, idle, task)
	r.turn(0, at+1000, task, idle)
}

// Tasks that share a cell are told apart, also after the one that had the cell has ended and
// another one has taken it.
func TestTasksThatShareACell(t *testing.T) {
	r := newReplay(t, oneCell)
	r.watch(a, FollowListed)
	r.watch(c, FollowListed)
	r.fork(0, 500, 600, a, d)
	want(t, "tasks in st_collisions", uint64(r.collisions()), 2)
	r.turn(0, 1000, b, a)
	r.turn(0, 2000, a, c)
	r.turn(0, 5000, c, d)
	r.turn(0, 9000, d, b)
	want(t, "time of a", r.watched(10).OnCpu, 1000)
	want(t, "time of c", r.watched(30).OnCpu, 3000)
	want(t, "time of d", r.watched(40).OnCpu, 4000)

	r.die(10_000, a)
	r.task(b, fake{})
	r.fork(0, 11_500, 11_600, c, b)
	want(t, "tasks in st_collisions", uint64(r.collisions()), 2)
	r.turn(0, 12_000, idle, b)
	r.turn(0, 14_000, b, idle)
	want(t, "time of c", r.watched(30).OnCpu, 3000)
	want(t, "time of the task that took the cell", r.watched(20).OnCpu, 2000)
	r.die(20_000, c)
	r.die(30_000, d)
	want(t, "tasks in st_collisions when they have ended", uint64(r.collisions()), 0)
	want(t, "tasks that found no place", r.globals().MapFull, 0)
}

// Another core is filling a cell. A task that is watched meanwhile, by a fork or by the
// collector, is found all the same, before and after.
func TestCellIsBeingGivenAway(t *testing.T) {
	for name, come := range map[string]func(*replay){
		"fork":  func(r *replay) { r.fork(0, 1000, 1100, a, d) },
		"watch": func(r *replay) { r.watch(d, FollowNone) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newReplay(t, oneCell)
			r.watch(a, FollowListed)
			const lock = uint64(1) // CELL_LOCK(0)
			r.must(r.maps[slicetraceMapStCollisions].Put(lock, uint32(0)))
			come(r)
			r.turn(0, 2000, a, d)
			r.turn(0, 3000, d, a)
			want(t, "its time", r.watched(40).OnCpu, 1000)
			r.must(r.maps[slicetraceMapStCollisions].Delete(lock))
			r.watch(c, FollowNone)
			r.turn(0, 4000, a, d)
			r.turn(0, 6000, d, c)
			r.turn(0, 9000, c, a)
			want(t, "its time", r.watched(40).OnCpu, 3000)
			want(t, "time of the task that came after", r.watched(30).OnCpu, 3000)
		})
	}
}

// A cell whose task is gone is used again, also if the task's slot belongs to another task by
// now: otherwise st_collisions would fill up.
func TestCellOfATaskThatIsGone(t *testing.T) {
	for name, come := range map[string]func(*replay){
		"fork":  func(r *replay) { r.fork(0, 5000, 5100, b, d) },
		"watch": func(r *replay) { r.watch(d, FollowNone) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newReplay(t, oneCell)
			r.watch(a, FollowListed)
			r.watch(b, FollowListed)
			want(t, "tasks in st_collisions", uint64(r.collisions()), 1)
			r.die(1000, a)
			come(r)
			want(t, "tasks in st_collisions, as the cell is free", uint64(r.collisions()), 1)
			r.turn(0, 6000, c, d)
			r.turn(0, 9000, d, c)
			want(t, "its time", r.watched(40).OnCpu, 3000)
		})
	}
}

// As many tasks can be watched as there are places, and no more, also if all hash to the same
// cell. The next task is counted, or refused, and a place that becomes free is used again.
func TestEveryPlaceCanBeUsed(t *testing.T) {
	for name, adjust := range map[string]func(*ebpf.CollectionSpec){
		"many cells": func(*ebpf.CollectionSpec) {},
		"one cell":   oneCell,
	} {
		t.Run(name, func(t *testing.T) {
			const tasks = fakeTasks - 2 // all except idle and the last
			r := newReplayOf(t, Options{Cores: 1, Tasks: tasks}, adjust)
			const last = fakeTasks - 1
			r.task(last, fake{})
			r.watch(a, FollowListed)
			for i := b; i < last; i++ {
				r.task(i, fake{})
				r.fork(0, 1000, 1000, a, i)
			}
			want(t, "tasks that found no place", r.globals().MapFull, 0)
			r.fork(0, 2000, 2000, a, last)
			want(t, "tasks that found no place", r.globals().MapFull, 1)
			want(t, "the last, while all places are taken", uint64(r.tryToWatch(last, FollowNone)), WatchingNoRoom)
			r.die(3000, c)
			want(t, "the last, once a place is free", uint64(r.tryToWatch(last, FollowNone)), Watching)
			want(t, "the last, a second time", uint64(r.tryToWatch(last, FollowNone)), WatchingAlready)
			want(t, "tasks that found no place", r.globals().MapFull, 1)
			if free := r.free(); len(free) > 0 {
				t.Errorf("%v are free, want none", free)
			}
		})
	}
}

// A task that has ended, and waits for its parent to ask for its status, is not watched: no
// switch would end its record.
func TestEndedTaskIsNotWatched(t *testing.T) {
	const exiting = 0x4
	r := newReplay(t)
	r.task(a, fake{flags: exiting, state: dead})
	want(t, "a task that has ended", uint64(r.tryToWatch(a, FollowNone)), WatchingNobody)
	r.task(a, fake{})
	want(t, "a task that has not", uint64(r.tryToWatch(a, FollowNone)), Watching)
}
