package bpf

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/google/go-cmp/cmp"
)

// The causes and classes of layout.h.
const (
	blocked = iota
	exited
	byTick
	byWakeup
	byYield
	byOther
)

const (
	classThread = iota
	classProcess
	classKernel
	classIdleIn
	classIdleOut
)

// want compares figures by name.
func want(t *testing.T, what string, got, want uint64) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %d, want %d", what, got, want)
	}
}

// wantEnded compares how a task's slices ended.
func wantEnded(t *testing.T, w *Worker, want [6]uint64) {
	t.Helper()
	if w == nil {
		t.Fatal("the task is not watched")
	}
	if diff := cmp.Diff(want, w.Ended); diff != "" {
		t.Errorf("slices of task %d by blocked, exited, tick, wakeup, yield, other (-want +got):\n%s", w.Tid, diff)
	}
}

// A watched task holds the core when the programs are attached: when its slice
// began is not known, so nothing of it is counted.
func TestSwitchInBeforeAttach(t *testing.T) {
	r := newReplay(t)
	r.watch(a, FollowNone)
	r.task(a, fake{state: asleep})
	r.turn(0, 1000, a, b)
	wantEnded(t, r.worker(10), [6]uint64{})
	want(t, "time of a", r.worker(10).OnCpu, 0)
	r.turn(0, 2000, b, a)
	r.turn(0, 5000, a, b)
	wantEnded(t, r.worker(10), [6]uint64{blocked: 1})
	want(t, "time of a", r.worker(10).OnCpu, 3000)
	s := r.snapshot(0, 6000, b)
	want(t, "switches, but the last, which is under way", switches(&s), 2)
	want(t, "switches", s.Core.Switches, 3)
	want(t, "unseen", s.Core.Unseen, 0)
	want(t, "time of others", s.Core.Time[HolderOther], 1000)
}

// Attaching falls between a __schedule's entry and its switch.
func TestSwitchWithoutEntry(t *testing.T) {
	r := newReplay(t)
	r.swtch(0, 1000, a, b)
	r.exit(0, 1020)
	r.turn(0, 2000, b, a)
	r.turn(0, 3000, a, b)
	s := r.snapshot(0, 4000, b)
	p := s.Sums.Classes[classProcess]
	want(t, "switches", p.Switches, 2)
	want(t, "picks, of the second alone", p.PickSum, 10)
	want(t, "switch phases", p.SwitchSum, 40)
	want(t, "costs, of what has both phases", p.CostSum, 30)
}

// __schedule returns without a switch: the entry's stamp belongs to nothing, and
// a later switch whose entry is not seen must not take it.
func TestExitWithoutSwitch(t *testing.T) {
	r := newReplay(t)
	r.turn(0, 1000, a, b)
	r.entry(0, 1500)
	r.exit(0, 1510)
	r.swtch(0, 9000, b, a)
	r.exit(0, 9020)
	r.turn(0, 10000, a, b)
	s := r.snapshot(0, 11000, b)
	p := s.Sums.Classes[classProcess]
	want(t, "switches", p.Switches, 2)
	want(t, "picks", p.PickSum, 10)
	want(t, "switch phases", p.SwitchSum, 40)
}

// An exit that no switch and no entry went before, as after attaching.
func TestExitWithoutEntry(t *testing.T) {
	r := newReplay(t)
	r.exit(0, 500)
	r.turn(0, 1000, a, b)
	r.turn(0, 2000, b, a)
	s := r.snapshot(0, 3000, a)
	p := s.Sums.Classes[classProcess]
	want(t, "switches", p.Switches, 1)
	want(t, "picks", p.PickSum, 10)
	want(t, "switch phases", p.SwitchSum, 20)
	want(t, "unseen", s.Core.Unseen, 0)
}

// The switch phase's end is not seen: it is absent, not long.
func TestSwitchWithoutExit(t *testing.T) {
	r := newReplay(t)
	r.entry(0, 990)
	r.swtch(0, 1000, a, b)
	r.turn(0, 2000, b, a)
	s := r.snapshot(0, 3000, a)
	p := s.Sums.Classes[classProcess]
	want(t, "switches", p.Switches, 1)
	want(t, "picks", p.PickSum, 10)
	want(t, "switch phases", p.SwitchSum, 0)
	want(t, "costs", p.CostSum, 0)
}

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
	w := r.worker(10)
	wantEnded(t, w, [6]uint64{blocked: 1, byOther: 1})
	want(t, "migrations", uint64(w.Migrations), 1)
	want(t, "time of a on both cores", w.OnCpu, 4000)
	want(t, "wait, which cannot be negative", w.Wait, 0)
	first, second := r.snapshot(0, 9000, b), r.snapshot(1, 9000, c)
	want(t, "workers' time on core 0", first.Core.Time[HolderWorker], 2000)
	want(t, "workers' time on core 1", second.Core.Time[HolderWorker], 2000)
	want(t, "slices on core 0", uint64(endedBy(&first, byOther)), 1)
	want(t, "slices on core 1", uint64(endedBy(&second, blocked)), 1)
}

// The idle task is pid 0 on every core, and follows itself when a core comes
// online: that is no slice of anybody's.
func TestIdleToIdle(t *testing.T) {
	r := newReplay(t)
	r.turn(0, 1000, a, idle)
	r.turn(0, 2000, idle, idle)
	r.turn(0, 5000, idle, a)
	r.turn(0, 6000, a, idle)
	s := r.snapshot(0, 7000, idle)
	want(t, "idle", s.Core.Time[HolderIdle], 4000)
	want(t, "others", s.Core.Time[HolderOther], 1000)
	want(t, "idle in", s.Sums.Classes[classIdleIn].Switches, 1)
	want(t, "idle out", s.Sums.Classes[classIdleOut].Switches, 2)
	want(t, "unseen", s.Core.Unseen, 0)
	for cause := range len(s.Sums.Ended) {
		want(t, "slices", uint64(endedBy(&s, cause)), 0)
	}
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
	if w := r.worker(30); w != nil {
		t.Errorf("a task that ended is still watched: %+v", w)
	}
	wantEnded(t, r.worker(10), [6]uint64{byWakeup: 1})
	all := r.records()
	if len(all) != 1 {
		t.Fatalf("%d records, want one obituary", len(all))
	}
	var o Obituary
	if err := binary.Read(bytes.NewReader(all[0]), binary.NativeEndian, &o); err != nil {
		t.Fatal(err)
	}
	w := &o.Worker
	want(t, "type", uint64(o.Record), RecordObituary)
	wantEnded(t, w, [6]uint64{exited: 1})
	want(t, "born", w.Born, 1200)
	want(t, "first run", w.First, 2000)
	want(t, "exit", w.Exit, 2400)
	want(t, "wait", w.Wait, 700)
	want(t, "time on the core", w.OnCpu, 500)
	want(t, "the kernel's count", o.Nvcsw, 1)
	want(t, "migrations: its first core is none", uint64(w.Migrations), 0)
}

// A kernel can skip sched_process_fork; then the child's first wakeup sees to it.
func TestNewTaskWithoutFork(t *testing.T) {
	for _, follow := range []uint8{FollowListed, FollowCounted} {
		r := newReplay(t)
		r.watch(a, follow)
		r.turn(0, 1000, b, a)
		r.wakeNew(0, 1300, a, c)
		r.turn(0, 2000, a, c)
		w := r.worker(30)
		if w == nil {
			t.Fatalf("the child of a task with %d is not watched", follow)
		}
		want(t, "what becomes of its children", uint64(w.Children), uint64(follow))
		want(t, "born", w.Born, 1300)
		want(t, "first run", w.First, 2000)
		want(t, "wait", w.Wait, 700)
		want(t, "found no place", r.totals().MapFull, 0)
	}
	r := newReplay(t)
	r.watch(a, FollowNone)
	r.turn(0, 1000, b, a)
	r.wakeNew(0, 1300, a, c)
	if w := r.worker(30); w != nil {
		t.Errorf("the child of a task whose children nobody asked for is watched: %+v", w)
	}
}

// A slice can be too short for the clock.
func TestClockEqualToTheLastStamp(t *testing.T) {
	r := newReplay(t)
	r.watch(a, FollowNone)
	r.turn(0, 1000, b, a)
	r.task(a, fake{state: asleep})
	r.swtch(0, 1000, a, b)
	r.turn(0, 2000, b, a)
	w := r.worker(10)
	wantEnded(t, w, [6]uint64{blocked: 1})
	want(t, "time of a", w.OnCpu, 0)
	s := r.snapshot(0, 2000, a)
	want(t, "others", s.Core.Time[HolderOther], 1000)
	want(t, "worker", s.Core.Time[HolderWorker], 0)
}

// A tid that a watched task had is given to one that nobody watches, and then
// to one that is.
func TestTidReused(t *testing.T) {
	r := newReplay(t)
	r.watch(a, FollowNone)
	r.turn(0, 1000, b, a)
	r.task(a, fake{state: dead})
	r.leave(0, 1400, a)
	r.turn(0, 1500, a, b)
	r.task(c, fake{tid: 10, tgid: 10})
	r.turn(0, 2000, b, c)
	r.turn(0, 9000, c, b)
	if w := r.worker(10); w != nil {
		t.Errorf("nobody watches the second task, yet: %+v", w)
	}
	s := r.snapshot(0, 10000, b)
	want(t, "workers' time", s.Core.Time[HolderWorker], 500)
	r.task(d, fake{tid: 10, tgid: 10})
	r.watch(d, FollowNone)
	r.turn(0, 11000, b, d)
	r.turn(0, 11300, d, b)
	want(t, "time of the third task", r.worker(10).OnCpu, 300)
}

// Another tid with the same place among the guesses does not hide the first.
func TestTidsThatShareAGuess(t *testing.T) {
	r := newReplay(t)
	r.task(c, fake{tid: 10 + 2048})
	r.watch(a, FollowNone)
	r.watch(c, FollowNone)
	r.turn(0, 1000, b, a)
	r.turn(0, 2000, a, c)
	r.turn(0, 5000, c, b)
	want(t, "time of a", r.worker(10).OnCpu, 1000)
	want(t, "time of c", r.worker(10+2048).OnCpu, 3000)
}

// A thread executes a program and takes over the first thread's tid while the
// first thread is still to make its last switch.
func TestThreadTakesOverTheFirstThreadsTid(t *testing.T) {
	r := newReplay(t)
	r.task(b, fake{tgid: 10, mm: 1001})
	r.watch(a, FollowListed)
	r.watch(b, FollowListed)
	r.turn(1, 900, d, a)
	r.turn(0, 1000, c, b)
	r.leave(1, 1400, a)
	r.task(b, fake{tid: 10, tgid: 10, mm: 1001})
	r.task(a, fake{tid: 20, tgid: 10, mm: 1001, state: dead})
	r.exec(0, 1500, b, 20)
	r.turn(1, 1700, a, d)
	r.task(b, fake{tid: 10, tgid: 10, mm: 1001, state: asleep})
	r.turn(0, 2000, b, c)
	w := r.worker(10)
	if w == nil {
		t.Fatal("nobody is watched as task 10")
	}
	want(t, "the tid that it was born with", uint64(w.Id), 20)
	want(t, "its time", w.OnCpu, 1000)
	if r.worker(20) != nil {
		t.Error("the first thread is still watched")
	}
	r.turn(0, 3000, c, b)
	r.turn(0, 3100, b, c)
	want(t, "its time", r.worker(10).OnCpu, 1100)
	for cpu := range uint32(2) {
		s := r.snapshot(cpu, 4000, []int{c, d}[cpu])
		want(t, "unseen", s.Core.Unseen, 0)
	}
	if all := r.records(); len(all) != 1 {
		t.Errorf("%d obituaries, want the first thread's", len(all))
	}
}

// The kernel hides a task from tracing: the core is handed to it, and the switch
// away from it is not seen. Its successor is recognised at its own switch.
func TestTaskHiddenFromTracing(t *testing.T) {
	r := newReplay(t)
	r.watch(c, FollowNone)
	r.turn(0, 1000, a, idle)
	r.entry(0, 1990)
	r.swtch(0, 2000, idle, b) // b is hidden: no exit of this switch
	r.exit(0, 2700)           // c's, which took the core from b
	r.task(c, fake{state: asleep})
	r.turn(0, 3000, c, idle)
	r.turn(0, 4000, idle, a)
	s := r.snapshot(0, 5000, a)
	want(t, "unseen", s.Core.Unseen, 1)
	want(t, "the hidden task's time", s.Core.Time[HolderOther], 700)
	want(t, "its successor's time", s.Core.Time[HolderWorker], 300)
	want(t, "idle", s.Core.Time[HolderIdle], 2000)
	want(t, "time of c", r.worker(30).OnCpu, 300)
	want(t, "switch phases of the switch to the hidden task", s.Sums.Classes[classIdleOut].SwitchSum, 0)
}

// The hidden task can be a watched one: then its time is its own, although how its
// slice ended is not known.
func TestWatchedTaskHiddenFromTracing(t *testing.T) {
	r := newReplay(t)
	r.watch(b, FollowNone)
	r.turn(0, 1000, a, idle)
	r.swtch(0, 2000, idle, b)
	r.exit(0, 2700)
	r.turn(0, 3000, c, idle)
	w := r.worker(20)
	wantEnded(t, w, [6]uint64{})
	want(t, "time of b", w.OnCpu, 700)
	s := r.snapshot(0, 4000, idle)
	want(t, "workers' time", s.Core.Time[HolderWorker], 700)
	want(t, "its successor's time", s.Core.Time[HolderOther], 300)
}

// A snapshot finds another task on the core than the last switch said.
func TestSnapshotFindsAHiddenTasksSuccessor(t *testing.T) {
	r := newReplay(t)
	r.watch(c, FollowNone)
	r.turn(0, 1000, a, idle)
	r.swtch(0, 2000, idle, b)
	r.exit(0, 2700)
	s := r.snapshot(0, 3000, c)
	want(t, "unseen", s.Core.Unseen, 1)
	want(t, "holder", uint64(s.Core.Holder), HolderWorker)
	want(t, "since", s.Core.Since, 2700)
	want(t, "the hidden task's time", s.Core.Time[HolderOther], 700)
	r.task(c, fake{state: asleep})
	r.turn(0, 3500, c, idle)
	want(t, "time of c", r.worker(30).OnCpu, 800)
}

// A core that has not switched since attaching has a holder all the same.
func TestSnapshotOfACoreThatNeverSwitched(t *testing.T) {
	r := newReplay(t)
	r.watch(a, FollowNone)
	s := r.snapshot(1, 1000, a)
	want(t, "holder", uint64(s.Core.Holder), HolderWorker)
	want(t, "since", s.Core.Since, 1000)
	r.task(a, fake{state: asleep})
	r.turn(1, 1600, a, idle)
	s = r.snapshot(1, 2000, idle)
	want(t, "time of a", r.worker(10).OnCpu, 600)
	want(t, "switches that no stamp began", switches(&s), 0)
	want(t, "unseen", s.Core.Unseen, 0)
}

// The log is added to the sums when its 64th entry is written, and nothing of
// it is lost or counted twice.
func TestLogFlushAt64Entries(t *testing.T) {
	r := newReplay(t)
	r.watch(a, FollowNone)
	at := uint64(1000)
	turn := func() {
		if at/1000%2 == 1 {
			r.turn(0, at, b, a)
		} else {
			r.turn(0, at, a, b)
		}
		at += 1000
	}
	sums := func() (s Snapshot) {
		r.must(r.maps[slicetraceMapStSums].Lookup(uint32(0), &s.Sums))
		return s
	}
	for range 63 {
		turn()
	}
	s := sums()
	want(t, "switches in the sums after 63", switches(&s), 0)
	want(t, "entries in the log", uint64(r.core(0).Logged), 63)
	turn()
	s = sums()
	want(t, "switches in the sums after 64: all but the last", switches(&s), 63)
	want(t, "entries in the log", uint64(r.core(0).Logged), 0)
	for range 100 {
		turn()
	}
	s = r.snapshot(0, at, b)
	want(t, "switches", switches(&s), 163)
	want(t, "slices", uint64(endedBy(&s, byOther)), 82)
	want(t, "their time", s.Sums.Ended[byOther].Sum, 82*1000)
	want(t, "waits", s.Sums.Wait.Sum, 81*1000)
	want(t, "picks", s.Sums.Classes[classProcess].PickSum, 163*10)
	want(t, "entries in the log", uint64(r.core(0).Logged), 0)
}

// Tasks that a worker creates by the thousand are added up when they end.
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
	l := &s.Sums.Lives
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
	want(t, "maxima after a snapshot", s.Sums.Lives.End.Max, 0)
	if w := r.worker(30); w != nil {
		t.Errorf("a task that ended is watched: %+v", w)
	}
}

// More children than there is room for are counted, and room that becomes free
// is used again.
func TestMoreTasksThanPlaces(t *testing.T) {
	r := newReplay(t)
	r.watch(a, FollowListed)
	for i := range replayed + 1 {
		r.task(c, fake{tid: uint32(100 + i)})
		r.fork(0, 1000, 1000, a, c)
	}
	want(t, "children without a place", r.totals().MapFull, 2)
	r.task(c, fake{tid: 100, state: dead})
	r.turn(0, 2000, b, c)
	r.turn(0, 3000, c, b)
	r.task(c, fake{tid: 200})
	r.fork(0, 4000, 4000, a, c)
	want(t, "children without a place", r.totals().MapFull, 2)
	if r.worker(200) == nil {
		t.Error("the place of a task that ended is not used again")
	}
}

// Obituaries that find no room in the ring are counted.
func TestObituariesWithoutRoom(t *testing.T) {
	r := newReplay(t, func(spec *ebpf.CollectionSpec) { spec.Maps[slicetraceMapStRing].MaxEntries = 4096 })
	r.watch(a, FollowListed)
	const deaths = 30
	for i := range deaths {
		at := uint64(10_000 * (i + 1))
		r.task(c, fake{})
		r.fork(0, at, at, a, c)
		r.turn(0, at+1000, a, c)
		r.task(c, fake{state: dead})
		r.turn(0, at+2000, c, a)
	}
	sent := uint64(len(r.records()))
	if lost := r.totals().DroppedTasks; sent == 0 || lost == 0 || sent+lost != deaths {
		t.Errorf("%d obituaries were sent and %d lost, of %d", sent, lost, deaths)
	}
}

// How a slice's end is told from its neighbours.
func TestCauses(t *testing.T) {
	for name, c := range map[string]struct {
		leave func(r *replay)
		cause int
	}{
		"blocks": {func(r *replay) {
			r.task(a, fake{state: asleep})
			r.turn(0, 2000, a, b)
		}, blocked},
		// A signal: about to block, it is made running again; the kernel counts
		// the switch as voluntary before the tracepoint.
		"blocks and is made running": {func(r *replay) {
			r.task(a, fake{nvcsw: 1})
			r.turn(0, 2000, a, b)
		}, blocked},
		"yields": {func(r *replay) {
			r.task(a, fake{syscall: yieldCall})
			r.turn(0, 2000, a, b)
		}, byYield},
		"preempted while yielding": {func(r *replay) {
			r.task(a, fake{syscall: yieldCall})
			r.preempt(0, 2000, a, b)
		}, byOther},
		"preempted on its way to block": {func(r *replay) {
			r.task(a, fake{state: asleep})
			r.preempt(0, 2000, a, b)
		}, byOther},
		"woken takes the core": {func(r *replay) {
			r.wake(0, 1900, b, a)
			r.turn(0, 2000, a, b)
		}, byWakeup},
		"another than the woken takes it": {func(r *replay) {
			r.wake(0, 1900, d, a)
			r.turn(0, 2000, a, b)
		}, byOther},
		"a tick": {func(r *replay) {
			r.tick(0, 1900)
			r.turn(0, 2000, a, b)
		}, byTick},
		"a tick long ago": {func(r *replay) {
			r.tick(0, 1900)
			r.turn(0, 1900+2_000_000, a, b)
		}, byOther},
		"woken before the tick": {func(r *replay) {
			r.wake(0, 1800, b, a)
			r.tick(0, 1900)
			r.turn(0, 2000, a, b)
		}, byTick},
		"woken after the tick": {func(r *replay) {
			r.tick(0, 1800)
			r.wake(0, 1900, b, a)
			r.turn(0, 2000, a, b)
		}, byWakeup},
		"a tick of the slice before": {func(r *replay) {
			r.tick(0, 900)
			r.turn(0, 1000, a, d)
			r.turn(0, 1100, d, a)
			r.turn(0, 1200, a, b)
		}, byOther},
		"woken onto the other core": {func(r *replay) {
			r.task(b, fake{cpu: 1})
			r.wake(0, 1900, b, a)
			r.turn(0, 2000, a, b)
		}, byOther},
	} {
		r := newReplay(t)
		r.watch(a, FollowNone)
		r.turn(0, 500, d, a)
		before := r.worker(10).Ended
		c.leave(r)
		ended := r.worker(10).Ended
		if ended[c.cause] == before[c.cause] {
			t.Errorf("%s: slices by blocked, exited, tick, wakeup, yield, other: %v", name, ended)
		}
	}
}

// A task that was preempted on its way to block waits from then on, and not
// from a wakeup that comes later.
func TestPreemptedOnItsWayToBlock(t *testing.T) {
	r := newReplay(t)
	r.watch(a, FollowNone)
	r.turn(0, 1000, b, a)
	r.task(a, fake{state: asleep})
	r.preempt(0, 2000, a, b)
	r.exit(0, 2020)
	r.wake(0, 2500, a, b)
	r.turn(0, 3000, b, a)
	want(t, "wait", r.worker(10).Wait, 1000)
}

// Which class a switch is of when the task before has given up its memory.
func TestClasses(t *testing.T) {
	const kthread = 0x00200000
	for name, c := range map[string]struct {
		prev, next fake
		class      int
	}{
		"threads":              {fake{mm: 7}, fake{mm: 7}, classThread},
		"processes":            {fake{mm: 7}, fake{mm: 8}, classProcess},
		"from a kernel thread": {fake{flags: kthread}, fake{mm: 7}, classKernel},
		"to a kernel thread":   {fake{mm: 7}, fake{flags: kthread}, classKernel},
		"the exiting one's mm": {fake{mm: 9, activeMM: 7, state: dead}, fake{mm: 7}, classThread},
	} {
		r := newReplay(t)
		r.task(a, c.prev)
		r.task(b, c.next)
		r.turn(0, 1000, a, b)
		r.task(d, fake{})
		r.turn(0, 2000, b, d)
		s := r.snapshot(0, 3000, d)
		want(t, name, s.Sums.Classes[c.class].Switches, 1)
	}
}

// A core that came online after attaching has no place: its switches are counted
// as unwatched, and nothing else of it.
func TestCoreWithoutAPlace(t *testing.T) {
	r := newReplay(t)
	r.turn(7, 1000, a, b)
	r.tick(7, 1500)
	r.turn(7, 2000, b, a)
	want(t, "switches on it", r.totals().UnwatchedCore, 2)
	if core := r.core(0); core != (Core{}) {
		t.Errorf("core 0 has %+v", core)
	}
}

// recorded are the blocks of events that were sent.
func recorded(t *testing.T, r *replay) []Events {
	t.Helper()
	var blocks []Events
	for _, sample := range r.records() {
		var e Events
		if err := binary.Read(bytes.NewReader(sample), binary.NativeEndian, &e); err != nil {
			t.Fatal(err)
		}
		want(t, "type", uint64(e.Record), RecordEvents)
		blocks = append(blocks, e)
	}
	return blocks
}

func recording(spec *ebpf.CollectionSpec) { spec.Maps[slicetraceMapStRing].MaxEntries = 4096 }

// A block of events is sent when its 64th is written, and what finds no room is
// said with the next that does.
func TestRecordingBlockFlushAndLoss(t *testing.T) {
	r := newReplayOf(t, Options{Cores: 2, Tasks: replayed, Record: true}, recording)
	at := uint64(1000)
	turns := func(n int) {
		for range n {
			r.turn(0, at, a, b)
			r.task(c, fake{})
			r.turn(0, at+500, b, a)
			at += 1000
		}
	}
	turns(31)
	r.turn(0, at, a, b)
	if blocks := recorded(t, r); len(blocks) != 0 {
		t.Fatalf("%d blocks after 63 events", len(blocks))
	}
	r.turn(0, at+500, b, a)
	at += 1000
	blocks := recorded(t, r)
	if len(blocks) != 1 {
		t.Fatalf("%d blocks after 64 events, want 1", len(blocks))
	}
	first := &blocks[0]
	want(t, "events", uint64(first.Count), 64)
	want(t, "lost", first.Lost, 0)
	for i := range first.Event {
		e := &first.Event[i]
		if wantPrev := []uint32{10, 20}[i%2]; e.Prev != wantPrev || e.Time != uint64(1000+500*i) {
			t.Fatalf("event %d is %+v", i, e)
		}
		if i > 0 && (e.Pick != 10 || e.Took != 20 || e.Class != classProcess || e.Flags != EventPicked|EventEnded) {
			t.Fatalf("event %d has the phases %+v", i, e)
		}
	}
	want(t, "the first event's slice, whose begin was not seen", first.Event[0].Since, 0)
	want(t, "the first event's class: no switch before it", uint64(first.Event[0].Class), classIdleOut+1)

	turns(32) // fits
	turns(32) // does not
	turns(32) // does not
	blocks = recorded(t, r)
	if len(blocks) != 1 || blocks[0].Lost != 0 {
		t.Fatalf("%d blocks fit, want 1", len(blocks))
	}
	turns(32)
	blocks = recorded(t, r)
	if len(blocks) != 1 {
		t.Fatalf("%d blocks, want 1", len(blocks))
	}
	want(t, "lost before it", blocks[0].Lost, 128)
	turns(32)
	blocks = recorded(t, r)
	if len(blocks) != 1 {
		t.Fatalf("%d blocks, want 1", len(blocks))
	}
	want(t, "lost before the next", blocks[0].Lost, 0)
}

// A snapshot sends what there is, and with it the phases of the last switch.
func TestRecordingSentBySnapshot(t *testing.T) {
	r := newReplayOf(t, Options{Cores: 2, Tasks: replayed, Record: true}, recording)
	r.turn(0, 1000, a, b)
	r.wake(0, 1100, c, b)
	r.wake(0, 1200, b, b) // itself: no wakeup
	r.snapshot(0, 1500, b)
	blocks := recorded(t, r)
	if len(blocks) != 1 {
		t.Fatalf("%d blocks, want 1", len(blocks))
	}
	e := &blocks[0]
	want(t, "events", uint64(e.Count), 2)
	want(t, "wakeups", uint64(e.Event[1].Flags), EventWakeup)
	want(t, "who was woken", uint64(e.Event[1].Next), 30)
}

// Whatever happens on a core, its time is somebody's: idle, workers, others and
// our own add up to the wall time.
func TestTimeAddsUpInRandomSequences(t *testing.T) {
	for seed := range uint64(8) {
		r := newReplay(t)
		r.pace = 3
		random := rand.New(rand.NewPCG(seed, 1))
		r.watch(a, FollowNone)
		r.watch(c, FollowNone)
		began := r.snapshot(0, 1000, idle).Core.Since
		at, holder := uint64(1000), idle
		for range 200 {
			at += uint64(random.IntN(1000)) + 10
			next := random.IntN(d + 1)
			switch random.IntN(8) {
			case 0:
				r.exit(0, at)
			case 1:
				r.wake(0, at, next, holder)
			case 2:
				r.tick(0, at)
			case 3:
				r.entry(0, at)
			case 4: // a hidden task: the kernel says nothing of the switch to next
				if next != holder {
					r.entry(0, at)
					r.exit(0, at+1)
					holder = next
				}
			default:
				if random.IntN(2) == 0 {
					r.task(holder, fake{state: uint32(random.IntN(2))})
				}
				r.turn(0, at, holder, next)
				holder = next
				at += 20
			}
		}
		// Once the last holder is known for certain.
		r.turn(0, at+100, holder, b)
		s := r.snapshot(0, at+500, b)
		sum := s.Core.Self
		for _, held := range s.Core.Time {
			sum += held
		}
		want(t, "time up to the last switch", sum, s.Core.Since-began)
		want(t, "workers' time", s.Core.Time[HolderWorker], r.worker(10).OnCpu+r.worker(30).OnCpu)
	}
}
