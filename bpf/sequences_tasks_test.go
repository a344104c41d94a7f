package bpf

import (
	"testing"
)

// Woken on one core, a task runs on another, whose clock is behind.
func TestMigrationWithASlowerClock(t *testing.T) {
	r := newReplay(t)
	r.watch(a, FollowNone)
	r.turn(0, 1000, b, a)
	r.turn(0, 3000, a, b) // preempted
	r.turn(1, 500, d, c)
	r.turn(1, 2990, c, a)
	r.task(a, fake{state: asleep})
	r.turn(1, 4990, a, c)
	w := r.watched(10)
	wantEnded(t, w, [causes]uint64{blocked: 1, byOther: 1})
	want(t, "migrations", uint64(w.Migrations), 1)
	want(t, "time of a on both cores", w.OnCpu, 4000)
	want(t, "wait, which cannot be negative", w.Wait, 0)
	first, second := r.snapshot(0, 9000, b), r.snapshot(1, 9000, c)
	want(t, "workers' time on core 0", first.Cpu.OccupiedNs[OccupantWatched], 2000)
	want(t, "workers' time on core 1", second.Cpu.OccupiedNs[OccupantWatched], 2000)
	want(t, "slices on core 0", uint64(endedBy(&first, byOther)), 1)
	want(t, "slices on core 1", uint64(endedBy(&second, blocked)), 1)
}

// A child is born, woken, and runs for the first time, in schedule_tail.
func TestNewTasksFirstSlice(t *testing.T) {
	r := newReplay(t)
	r.watch(a, FollowListed)
	r.turn(0, 1000, b, a)
	r.task(c, fake{nvcsw: 1})
	r.fork(0, 1200, 1300, a, c)
	r.turn(0, 2000, a, c)
	r.task(c, fake{state: dead, nvcsw: 1})
	r.leave(0, 2400, c)
	r.turn(0, 2500, c, a)
	if w := r.watched(30); w != nil {
		t.Errorf("a task that ended is still watched: %+v", w)
	}
	wantEnded(t, r.watched(10), [causes]uint64{byWakeup: 1})
	all := r.exits()
	if len(all) != 1 {
		t.Fatalf("%d records, want one", len(all))
	}
	o := &all[0]
	w := &o.Task
	wantEnded(t, w, [causes]uint64{exited: 1})
	want(t, "born", w.Born, 1200)
	want(t, "first run", w.First, 2000)
	want(t, "exit", w.ExitStart, 2400)
	want(t, "wait", w.Wait, 700)
	want(t, "time on the core", w.OnCpu, 500)
	want(t, "the kernel's count", o.Final.Nvcsw, 1)
	want(t, "migrations: coming to its first core is not one", uint64(w.Migrations), 0)
}

// A kernel can skip sched_process_fork; then the child's first wakeup sees to it.
func TestNewTaskWithoutFork(t *testing.T) {
	for _, follow := range []uint8{FollowListed, FollowCounted} {
		r := newReplay(t)
		r.watch(a, follow)
		r.turn(0, 1000, b, a)
		r.wakeNew(0, 1300, a, c)
		r.turn(0, 2000, a, c)
		w := r.watched(30)
		if w == nil {
			t.Fatalf("the child of a task with %d is not watched", follow)
		}
		want(t, "what becomes of its children", uint64(w.Children), uint64(follow))
		want(t, "born", w.Born, 1300)
		want(t, "first run", w.First, 2000)
		want(t, "wait", w.Wait, 700)
		want(t, "found no place", r.globals().MapFull, 0)
	}
	r := newReplay(t)
	r.watch(a, FollowNone)
	r.turn(0, 1000, b, a)
	r.wakeNew(0, 1300, a, c)
	if w := r.watched(30); w != nil {
		t.Errorf("the child of a task whose children nobody asked for is watched: %+v", w)
	}
}

// The tid of a watched task that ended, or its address, is given to one that nobody
// watches, and then to one that is.
func TestTidOrAddressReused(t *testing.T) {
	for name, heir := range map[string]int{"tid": c, "address": a, "both": a} {
		t.Run(name, func(t *testing.T) {
			r := newReplay(t)
			r.watch(a, FollowNone)
			r.turn(0, 1000, b, a)
			r.task(a, fake{state: dead})
			r.leave(0, 1400, a)
			r.turn(0, 1500, a, b)
			tid := uint32(10)
			if name == "address" {
				tid = 70
			}
			r.task(heir, fake{tid: tid})
			r.turn(0, 2000, b, heir)
			r.turn(0, 9000, heir, b)
			if w := r.watched(tid); w != nil {
				t.Errorf("nobody watches the second task, yet: %+v", w)
			}
			s := r.snapshot(0, 10000, b)
			want(t, "workers' time", s.Cpu.OccupiedNs[OccupantWatched], 500)
			r.watch(heir, FollowNone)
			r.turn(0, 11000, b, heir)
			r.turn(0, 11300, heir, b)
			want(t, "time of the third task", r.watched(tid).OnCpu, 300)
		})
	}
}

// Tasks that a watched task creates by the thousand are added up when they end.
func TestCreatedTaskCounted(t *testing.T) {
	r := newReplay(t)
	r.watch(a, FollowCounted)
	r.turn(0, 1000, b, a)
	for i, kernel := range []uint64{2, 3} { // the second has a switch that we did not see
		at := uint64(10_000 * (i + 1))
		r.task(c, fake{})
		r.fork(0, at, at, a, c)
		r.turn(0, at+1000, a, c)
		r.task(c, fake{state: asleep})
		r.turn(0, at+1500, c, a)
		r.wake(0, at+2000, c, a)
		r.turn(0, at+3000, a, c)
		r.task(c, fake{state: dead, nvcsw: kernel})
		r.leave(0, at+3400, c)
		r.turn(0, at+3500, c, a)
	}
	s := r.snapshot(0, 90_000, a)
	l := &s.Sums.Exited
	want(t, "tasks", l.Tasks, 2)
	want(t, "reconciled", l.Reconciled, 1)
	want(t, "time on the core", l.OnCpu, 2*1000)
	want(t, "waits", l.Wait, 2*2000)
	want(t, "from fork to first run", l.Start.Sum, 2*1000)
	want(t, "from first run to exit", l.Run.Sum, 2*2400)
	want(t, "from exit to last switch", l.End.Sum, 2*100)
	want(t, "the longest of them", l.End.Max, 100)
	if all := r.records(); len(all) != 0 {
		t.Errorf("%d records of tasks that are counted", len(all))
	}
	s = r.snapshot(0, 91_000, a)
	want(t, "maxima after a snapshot", s.Sums.Exited.End.Max, 0)
	if w := r.watched(30); w != nil {
		t.Errorf("a task that ended is watched: %+v", w)
	}
}

// The end of a watched task was not seen, and its address is another's by now: the one
// that is born there is nobody's, and the old one's row is lost and counted.
func TestTaskWhoseEndWasNotSeen(t *testing.T) {
	r := newReplay(t)
	r.watch(a, FollowListed)
	r.turn(0, 1000, b, a)
	r.turn(0, 2000, a, b)
	r.task(a, fake{tid: 70})
	r.fork(0, 3000, 3100, b, a)
	r.turn(0, 4000, b, a)
	r.turn(0, 9000, a, b)
	s := r.snapshot(0, 10_000, b)
	want(t, "workers' time", s.Cpu.OccupiedNs[OccupantWatched], 1000)
	want(t, "rows that were lost", r.globals().DroppedTasks, 1)
	want(t, "free places", uint64(len(r.free())), replayed)
}
