package bpf

import (
	"errors"
	"testing"

	"github.com/cilium/ebpf"
)

// kept returns the records that found no room in the ring.
func (r *replay) kept() (all []TaskExit) {
	r.t.Helper()
	for {
		err := r.objs.Kept(func(o *TaskExit) { all = append(all, *o) })
		if errors.Is(err, ebpf.ErrKeyNotExist) {
			return all
		}
		r.must(err)
	}
}

// While the ring is full, the records of tasks that end are kept as long as there are
// places. Then the oldest give way to tasks that are born, and are counted.
func TestRecordsOfEndedTasksWhileTheRingIsFull(t *testing.T) {
	for name, c := range map[string]struct{ deaths, kept, dropped int }{
		"room":    {replayed - 1, replayed - 1, 0},
		"no room": {replayed + 4, replayed - 1, 5},
	} {
		t.Run(name, func(t *testing.T) {
			// One page holds 22 records and no more.
			r := newReplay(t, func(spec *ebpf.CollectionSpec) { spec.Maps[slicetraceMapStRing].MaxEntries = 4096 })
			r.watch(a, FollowListed)
			at := uint64(0)
			live := func(tid uint32) {
				at += 10_000
				r.task(b, fake{tid: tid, nvcsw: 1, nivcsw: uint64(tid)})
				r.fork(0, at, at, a, b)
				r.leave(0, at+500, b)
				r.die(at+1000, b)
			}
			sent := 0
			for live(1000); len(r.kept()) == 0; live(1000) {
				if sent++; sent > 100 {
					t.Fatal("the ring is never full")
				}
			}
			for i := range c.deaths {
				live(uint32(100 + i))
			}
			want(t, "tasks without a place", r.globals().MapFull, 0)
			want(t, "rows that were lost", r.globals().DroppedTasks, uint64(c.dropped))
			want(t, "tasks on their way out", r.places().Leaving, 0)
			want(t, "places that were lost", r.places().Lost, 0)
			kept := r.kept()
			want(t, "rows kept", uint64(len(kept)), uint64(c.kept))
			for i, o := range kept {
				tid := uint32(100 + c.deaths - c.kept + i)
				want(t, "tid, the oldest first", uint64(o.Task.Tid), uint64(tid))
				want(t, "its time", o.Task.OnCpu, 1000)
				want(t, "the kernel's count", o.Final.Nivcsw, uint64(tid))
				want(t, "its name", uint64(o.Final.Comm[1]), '2')
			}
			want(t, "rows in the ring", uint64(len(r.exits())), uint64(sent))
			live(1000)
			want(t, "rows in the ring, when it was read", uint64(len(r.exits())), 1)
			want(t, "free places", uint64(len(r.free())), replayed-1)
		})
	}
}

// What the collector asks instead of reading every record.
func TestPlacesAreCounted(t *testing.T) {
	r := newReplay(t)
	check := func(what string, used, leaving, counted uint64) {
		t.Helper()
		p := r.places()
		if p.Used != used || p.Leaving != leaving || p.Counted != counted {
			t.Errorf("%s: %d used, %d leaving, %d counted; want %d, %d, %d",
				what, p.Used, p.Leaving, p.Counted, used, leaving, counted)
		}
	}
	check("at first", 0, 0, 0)
	r.pace = 1
	r.watch(a, FollowCounted)
	check("one is watched", 1, 0, 0)
	for range 3 {
		r.task(b, fake{})
		r.fork(0, 1000, 1100, a, b)
		check("it has a child", 2, 0, 1)
		r.leave(0, 1200, b)
		check("which begins to exit", 2, 1, 1)
		r.die(1300, b)
		check("and is gone", 2, 0, 0)
	}
	r.task(b, fake{})
	r.fork(0, 2000, 2100, a, b)
	r.die(2200, b)
	check("one whose exit the kernel skipped is gone", 2, 0, 0)
	r.task(b, fake{})
	r.fork(0, 3000, 3100, a, b)
	r.leave(0, 3200, b)
	r.task(b, fake{tid: 70})
	r.fork(0, 3300, 3400, c, b)
	check("one whose last switch was not seen is gone", 2, 0, 0)
}
