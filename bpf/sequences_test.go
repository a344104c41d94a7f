package bpf

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	blocked    = int(slicetraceEndedByENDED_BLOCKED)
	exited     = int(slicetraceEndedByENDED_EXITED)
	byTick     = int(slicetraceEndedByENDED_TICK)
	byWakeup   = int(slicetraceEndedByENDED_WAKEUP)
	byYield    = int(slicetraceEndedByENDED_YIELD)
	byOther    = int(slicetraceEndedByENDED_OTHER)
	byThrottle = int(slicetraceEndedByENDED_THROTTLED)
	causes     = int(slicetraceEndedByCAUSES)
)

const (
	classThread  = uint8(slicetraceSwitchClassCLASS_THREAD)
	classProcess = uint8(slicetraceSwitchClassCLASS_PROCESS)
	classKernel  = uint8(slicetraceSwitchClassCLASS_KERNEL)
	classIdleIn  = uint8(slicetraceSwitchClassCLASS_IDLE_IN)
	classIdleOut = uint8(slicetraceSwitchClassCLASS_IDLE_OUT)
	classNone    = uint8(slicetraceSwitchClassCLASSES)
)

// want compares figures by name.
func want[W ~int | ~int32 | ~uint8 | ~uint32 | ~uint64](t *testing.T, what string, got uint64, want W) {
	t.Helper()
	if got != uint64(want) {
		t.Errorf("%s: %d, want %d", what, got, want)
	}
}

// wantEnded compares how a task's slices ended.
func wantEnded(t *testing.T, w *WatchedTask, want [causes]uint64) {
	t.Helper()
	if w == nil {
		t.Fatal("the task is not watched")
	}
	if diff := cmp.Diff(want, w.Slices); diff != "" {
		t.Errorf("slices of task %d by blocked, exited, tick, wakeup, yield, other (-want +got):\n%s", w.Tid, diff)
	}
}

// A watched task is on the core when the programs are attached. It is not known when its slice
// began, so the slice is not counted.
func TestSwitchInBeforeAttach(t *testing.T) {
	r := newReplay(t)
	r.watch(a, FollowNone)
	r.task(a, fake{state: asleep})
	r.turn(0, 1000, a, b)
	wantEnded(t, r.watched(10), [causes]uint64{})
	want(t, "time of a", r.watched(10).OnCpu, 0)
	r.turn(0, 2000, b, a)
	r.turn(0, 5000, a, b)
	wantEnded(t, r.watched(10), [causes]uint64{blocked: 1})
	want(t, "time of a", r.watched(10).OnCpu, 3000)
	s := r.snapshot(0, 6000, b)
	want(t, "switches, except the last, which is under way", switches(&s), 2)
	want(t, "switches", s.Cpu.Switches, 3)
	want(t, "hidden switches", s.Cpu.HiddenSwitches, 0)
	want(t, "time of other tasks", s.Cpu.OccupiedNs[OccupantOther], 1000)
}

// Attaching falls between a __schedule's entry and its switch.
func TestSwitchWithoutEntry(t *testing.T) {
	r := newReplay(t)
	r.switchTo(0, 1000, a, b)
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
	r.switchTo(0, 9000, b, a)
	r.exit(0, 9020)
	r.turn(0, 10000, a, b)
	s := r.snapshot(0, 11000, b)
	p := s.Sums.Classes[classProcess]
	want(t, "switches", p.Switches, 2)
	want(t, "picks", p.PickSum, 10)
	want(t, "switch phases", p.SwitchSum, 40)
}

// An exit without a switch or an entry before it, as after attaching.
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
	want(t, "hidden switches", s.Cpu.HiddenSwitches, 0)
}

// The switch phase's end is not seen: it is absent, not long.
func TestSwitchWithoutExit(t *testing.T) {
	r := newReplay(t)
	r.entry(0, 990)
	r.switchTo(0, 1000, a, b)
	r.turn(0, 2000, b, a)
	s := r.snapshot(0, 3000, a)
	p := s.Sums.Classes[classProcess]
	want(t, "switches", p.Switches, 1)
	want(t, "picks", p.PickSum, 10)
	want(t, "switch phases", p.SwitchSum, 0)
	want(t, "costs", p.CostSum, 0)
}

// The idle task is pid 0 on every core. When a core comes online it follows itself, which is
// not a slice of any task.
func TestIdleToIdle(t *testing.T) {
	r := newReplay(t)
	r.turn(0, 1000, a, idle)
	r.turn(0, 2000, idle, idle)
	r.turn(0, 5000, idle, a)
	r.turn(0, 6000, a, idle)
	s := r.snapshot(0, 7000, idle)
	want(t, "idle", s.Cpu.OccupiedNs[OccupantIdle], 4000)
	want(t, "other tasks", s.Cpu.OccupiedNs[OccupantOther], 1000)
	want(t, "idle in", s.Sums.Classes[classIdleIn].Switches, 1)
	want(t, "idle out", s.Sums.Classes[classIdleOut].Switches, 2)
	want(t, "hidden switches", s.Cpu.HiddenSwitches, 0)
	for cause := range len(s.Sums.Slices) {
		want(t, "slices", uint64(endedBy(&s, cause)), 0)
	}
}

// A slice can be too short for the clock.
func TestClockEqualToTheLastStamp(t *testing.T) {
	r := newReplay(t)
	r.watch(a, FollowNone)
	r.turn(0, 1000, b, a)
	r.task(a, fake{state: asleep})
	r.switchTo(0, 1000, a, b)
	r.turn(0, 2000, b, a)
	w := r.watched(10)
	wantEnded(t, w, [causes]uint64{blocked: 1})
	want(t, "time of a", w.OnCpu, 0)
	s := r.snapshot(0, 2000, a)
	want(t, "other tasks", s.Cpu.OccupiedNs[OccupantOther], 1000)
	want(t, "worker", s.Cpu.OccupiedNs[OccupantWatched], 0)
}

// The kernel hides a task from tracing: the switch to it is seen, the switch away from it is
// not. Its successor is recognised at its own switch.
func TestTaskHiddenFromTracing(t *testing.T) {
	r := newReplay(t)
	r.watch(c, FollowNone)
	r.turn(0, 1000, a, idle)
	r.entry(0, 1990)
	r.switchTo(0, 2000, idle, b) // b is hidden: no exit of this switch
	r.exit(0, 2700)              // c's, which took the core from b
	r.task(c, fake{state: asleep})
	r.turn(0, 3000, c, idle)
	r.turn(0, 4000, idle, a)
	s := r.snapshot(0, 5000, a)
	want(t, "hidden switches", s.Cpu.HiddenSwitches, 1)
	want(t, "the hidden task's time", s.Cpu.OccupiedNs[OccupantOther], 700)
	want(t, "its successor's time", s.Cpu.OccupiedNs[OccupantWatched], 300)
	want(t, "idle", s.Cpu.OccupiedNs[OccupantIdle], 2000)
	want(t, "time of c", r.watched(30).OnCpu, 300)
	want(t, "switch phases of the switch to the hidden task", s.Sums.Classes[classIdleOut].SwitchSum, 0)
}

// The hidden task can be watched: then it gets its time, although how its slice ended is not
// known.
func TestWatchedTaskHiddenFromTracing(t *testing.T) {
	r := newReplay(t)
	r.watch(b, FollowNone)
	r.turn(0, 1000, a, idle)
	r.switchTo(0, 2000, idle, b)
	r.exit(0, 2700)
	r.turn(0, 3000, c, idle)
	w := r.watched(20)
	wantEnded(t, w, [causes]uint64{})
	want(t, "time of b", w.OnCpu, 700)
	s := r.snapshot(0, 4000, idle)
	want(t, "workers' time", s.Cpu.OccupiedNs[OccupantWatched], 700)
	want(t, "its successor's time", s.Cpu.OccupiedNs[OccupantOther], 300)
}

// A snapshot finds another task on the core than the one of the last switch.
func TestSnapshotFindsAHiddenTasksSuccessor(t *testing.T) {
	r := newReplay(t)
	r.watch(c, FollowNone)
	r.turn(0, 1000, a, idle)
	r.switchTo(0, 2000, idle, b)
	r.exit(0, 2700)
	s := r.snapshot(0, 3000, c)
	want(t, "hidden switches", s.Cpu.HiddenSwitches, 1)
	want(t, "occupant", uint64(s.Cpu.Occupant), OccupantWatched)
	want(t, "slice start", s.Cpu.SliceStart, 2700)
	want(t, "the hidden task's time", s.Cpu.OccupiedNs[OccupantOther], 700)
	r.task(c, fake{state: asleep})
	r.turn(0, 3500, c, idle)
	want(t, "time of c", r.watched(30).OnCpu, 800)
}

// A core that has not switched since attaching has an occupant all the same.
func TestSnapshotOfACoreThatNeverSwitched(t *testing.T) {
	r := newReplay(t)
	r.watch(a, FollowNone)
	r.wake(1, 700, a, b)
	s := r.snapshot(1, 1000, a)
	want(t, "occupant", uint64(s.Cpu.Occupant), OccupantWatched)
	want(t, "wait up to then", s.Sums.Wait.Sum, 300)
	want(t, "slice start", s.Cpu.SliceStart, 1000)
	r.task(a, fake{state: asleep})
	r.turn(1, 1600, a, idle)
	s = r.snapshot(1, 2000, idle)
	want(t, "time of a", r.watched(10).OnCpu, 600)
	want(t, "switches that no stamp began", switches(&s), 0)
	want(t, "hidden switches", s.Cpu.HiddenSwitches, 0)
}

// The log is added to the sums when its 64th entry is written. No entry is lost, or counted
// twice.
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
	want(t, "switches in the sums after 64: all except the last", switches(&s), 63)
	want(t, "entries in the log", uint64(r.core(0).Logged), 0)
	for range 100 {
		turn()
	}
	s = r.snapshot(0, at, b)
	want(t, "switches", switches(&s), 163)
	want(t, "slices", uint64(endedBy(&s, byOther)), 82)
	want(t, "their time", s.Sums.Slices[byOther].Sum, 82*1000)
	want(t, "waits", s.Sums.Wait.Sum, 81*1000)
	want(t, "picks", s.Sums.Classes[classProcess].PickSum, 163*10)
	want(t, "entries in the log", uint64(r.core(0).Logged), 0)
}

// For a core without an element in the maps only its switches are counted, as unwatched.
func TestCoreWithoutAPlace(t *testing.T) {
	r := newReplay(t)
	r.turn(7, 1000, a, b)
	r.tick(7, 1500, a, 0)
	r.turn(7, 2000, b, a)
	want(t, "switches on it", r.globals().UnwatchedCore, 2)
	if core := r.core(0); core != (CPUState{}) {
		t.Errorf("core 0 has %+v", core)
	}
}

// Whatever happens on a core, idle time, the time of watched and of other tasks, and the
// programs' own time add up to the wall time.
func TestTimeAddsUpInRandomSequences(t *testing.T) {
	for seed := range uint64(8) {
		r := newReplay(t)
		r.pace = 3
		random := rand.New(rand.NewPCG(seed, 1))
		r.watch(a, FollowNone)
		r.watch(c, FollowNone)
		began := r.snapshot(0, 1000, idle).Cpu.SliceStart
		at, occupant := uint64(1000), idle
		for range 200 {
			at += uint64(random.IntN(1000)) + 10
			next := random.IntN(d + 1)
			switch random.IntN(8) {
			case 0:
				r.exit(0, at)
			case 1:
				r.wake(0, at, next, occupant)
			case 2:
				r.tick(0, at, a, 0)
			case 3:
				r.entry(0, at)
			case 4: // a hidden task: the kernel does not report the switch to next
				if next != occupant {
					r.entry(0, at)
					r.exit(0, at+1)
					occupant = next
				}
			default:
				if random.IntN(2) == 0 {
					r.task(occupant, fake{state: uint32(random.IntN(2))})
				}
				r.turn(0, at, occupant, next)
				occupant = next
				at += 20
			}
		}
		// Now the last occupant is known for certain.
		r.turn(0, at+100, occupant, b)
		s := r.snapshot(0, at+500, b)
		sum := s.Cpu.BookkeepingNs
		for _, occupied := range s.Cpu.OccupiedNs {
			sum += occupied
		}
		want(t, "time up to the last switch", sum, s.Cpu.SliceStart-began)
		want(t, "workers' time", s.Cpu.OccupiedNs[OccupantWatched], r.watched(10).OnCpu+r.watched(30).OnCpu)
	}
}
