package bpf

import (
	"errors"
	"testing"

	"github.com/cilium/ebpf"
)

// cells is how many the index of a replay has: tids that far apart share one.
const cells = 16

// overflow returns what stands in the index's overflow.
func (r *replay) overflow() map[uint32]uint32 {
	r.t.Helper()
	all := make(map[uint32]uint32)
	var tid, slot uint32
	entries := r.maps[slicetraceMapStOverflow].Iterate()
	for entries.Next(&tid, &slot) {
		all[tid] = slot
	}
	r.must(entries.Err())
	return all
}

// Tasks that share a cell are told apart, whoever entered them, also when the one
// that has the cell is gone and another one takes it.
func TestTidsThatShareACell(t *testing.T) {
	r := newReplay(t)
	r.task(c, fake{tid: 10 + cells})
	r.watch(a, FollowListed)
	r.watch(c, FollowListed)
	r.task(d, fake{tid: 10 + 2*cells})
	r.fork(0, 500, 600, a, d)
	if all := r.overflow(); len(all) != 2 {
		t.Errorf("the overflow holds %v, want the second and the third", all)
	}
	r.turn(0, 1000, b, a)
	r.turn(0, 2000, a, c)
	r.turn(0, 5000, c, d)
	r.turn(0, 9000, d, b)
	want(t, "time of a", r.worker(10).OnCpu, 1000)
	want(t, "time of c", r.worker(10+cells).OnCpu, 3000)
	want(t, "time of d", r.worker(10+2*cells).OnCpu, 4000)

	r.task(a, fake{tid: 10, state: dead})
	r.turn(0, 10_000, b, a)
	r.turn(0, 11_000, a, c)
	r.task(a, fake{tid: 10 + 3*cells})
	r.fork(0, 11_500, 11_600, c, a)
	if all := r.overflow(); len(all) != 2 {
		t.Errorf("the overflow holds %v, want the second and the third", all)
	}
	r.turn(0, 12_000, c, a)
	r.turn(0, 14_000, a, b)
	want(t, "time of c", r.worker(10+cells).OnCpu, 4000)
	want(t, "time of who took the cell", r.worker(10+3*cells).OnCpu, 2000)
	for _, task := range []int{c, d} {
		r.task(task, fake{tid: r.tids[task], state: dead})
		r.turn(0, 20_000, b, task)
		r.turn(0, 21_000, task, b)
	}
	if all := r.overflow(); len(all) != 0 {
		t.Errorf("of tasks that ended, the overflow holds %v", all)
	}
}

// A cell that is being given away elsewhere: who comes meanwhile, on either side, is
// found all the same, before and after.
func TestCellIsBeingGivenAway(t *testing.T) {
	t.Run("fork", func(t *testing.T) {
		comeMeanwhile(t, func(r *replay) { r.fork(0, 1000, 1100, a, d) })
	})
	t.Run("watch", func(t *testing.T) {
		comeMeanwhile(t, func(r *replay) { r.watch(d, FollowNone) })
	})
}

func comeMeanwhile(t *testing.T, come func(*replay)) {
	r := newReplay(t)
	r.watch(a, FollowListed)
	lock := uint32(indexLock | 40%cells)
	r.must(r.maps[slicetraceMapStOverflow].Put(lock, uint32(0)))
	come(r)
	r.turn(0, 2000, a, d)
	r.turn(0, 3000, d, a)
	want(t, "its time", r.worker(40).OnCpu, 1000)
	r.must(r.maps[slicetraceMapStOverflow].Delete(lock))
	r.task(c, fake{tid: 40 + cells})
	r.watch(c, FollowNone)
	r.turn(0, 4000, a, d)
	r.turn(0, 6000, d, c)
	r.turn(0, 9000, c, a)
	want(t, "its time", r.worker(40).OnCpu, 3000)
	want(t, "time of who came after", r.worker(40+cells).OnCpu, 3000)
}

// A cell whose task is gone is given away again, also when the task's slot belongs to
// another by now: else the overflow would fill up.
func TestCellOfATaskThatIsGone(t *testing.T) {
	for name, come := range map[string]func(*replay){
		"fork":  func(r *replay) { r.fork(0, 5000, 5100, b, d) },
		"watch": func(r *replay) { r.watch(d, FollowNone) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newReplay(t)
			die := func(task int) {
				r.task(task, fake{tid: r.tids[task], state: dead})
				r.turn(0, 1000, c, task)
				r.turn(0, 2000, task, c)
			}
			for _, task := range []int{a, b, c, d} {
				r.watch(task, FollowListed)
			}
			die(a)
			r.task(a, fake{tid: 11})
			r.watch(a, FollowListed) // in the slot of the task 10
			die(d)
			r.task(d, fake{tid: 10 + cells})
			come(r)
			if all := r.overflow(); len(all) != 0 {
				t.Errorf("the overflow holds %v, and the cell is free", all)
			}
			r.turn(0, 6000, c, d)
			r.turn(0, 9000, d, c)
			want(t, "its time", r.worker(10+cells).OnCpu, 3000)
		})
	}
}

// Where the overflow is full too, a child finds no place and is counted, and who is
// to be watched is refused.
func TestIndexFull(t *testing.T) {
	r := newReplay(t, func(spec *ebpf.CollectionSpec) { spec.Maps[slicetraceMapStOverflow].MaxEntries = 1 })
	r.watch(a, FollowListed)
	for i, lost := range []uint64{0, 1} {
		r.task(c, fake{tid: 10 + uint32(i+1)*cells})
		r.fork(0, 1000, 1100, a, c)
		want(t, "children without a place", r.totals().MapFull, lost)
	}
	if r.worker(10+2*cells) != nil {
		t.Error("the one without a place is watched")
	}
	index, err := newIndex(r.maps)
	r.must(err)
	if err := index.Note(10+3*cells, 3); !errors.Is(err, ErrIndexFull) {
		t.Errorf("the overflow is full, yet: %v", err)
	}
	// Its place among the workers is not lost with it.
	var free []uint32
	for {
		var slot uint32
		if err := r.maps[slicetraceMapStFree].LookupAndDelete(nil, &slot); err != nil {
			break
		}
		free = append(free, slot)
	}
	if len(free) != replayed-2 {
		t.Errorf("%v are free, want all but those of two tasks", free)
	}
}
