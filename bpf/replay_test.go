package bpf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
)

//go:generate -command bpf2go go tool bpf2go -cc clang-19 -target amd64,arm64 -cflags "-O2 -g -Wall -Werror"
//go:generate bpf2go -type step -type fake_timer replay replay.bpf.c -- -Iheaders

// The tasks of a replay, by their index; idle is the idle task of every core.
const (
	idle = iota
	a
	b
	c
	d
)

const (
	asleep    = 1 // TASK_INTERRUPTIBLE
	dead      = 0x80
	replayed  = 4 // tasks that can be watched
	fakeTasks = 8
)

// fake is a task of a replay. Its tid is ten times its index unless set.
type fake struct {
	tid, tgid, flags, state, cpu uint32
	mm, activeMM                 uint64
	noMM                         bool
	nvcsw, nivcsw                uint64
	syscall                      int32
	compat                       bool // syscall is of the 32-bit table
	arrival, queued              uint64
	throttled                    bool
}

// The timers of a replay. resched and lazy are the flags by which they ask for a
// switch: not the bits of any kernel.
const (
	timerTick   = int(replayFakeTimerFAKE_TICK)
	timerHRTick = int(replayFakeTimerFAKE_HRTICK)
	timerPlain  = int(replayFakeTimerFAKE_PLAIN)

	resched = 1 << 6
	lazy    = 1 << 7
)

// replay runs the kernel half's own programs by hand, on made-up tasks and times.
type replay struct {
	t      *testing.T
	maps   map[string]*ebpf.Map
	objs   *Objects
	step   *ebpf.Program
	world  *ebpf.Variable
	snap   *ebpf.Program
	wanted *ebpf.Variable
	pace   uint64
	fakes  map[int]fake
}

func newReplay(t *testing.T, adjust ...func(*ebpf.CollectionSpec)) *replay {
	t.Helper()
	return newReplayOf(t, Options{Cores: 2, Tasks: replayed}, adjust...)
}

func newReplayOf(t *testing.T, o Options, adjust ...func(*ebpf.CollectionSpec)) *replay {
	t.Helper()
	bpftest.Require(t)
	spec, err := loadReplay()
	if err != nil {
		t.Fatal(err)
	}
	for name := range spec.Programs {
		if name != "replay_step" && name != slicetraceProgStSnapshot && name != slicetraceProgStFill {
			delete(spec.Programs, name)
		}
	}
	if err := size(spec, o); err != nil {
		t.Fatal(err)
	}
	set(spec, slicetraceVarReschedGuess, uint64(resched|lazy))
	set(spec, slicetraceVarLazyShift, uint32(1))
	for _, f := range adjust {
		f(spec)
	}
	objs, err := ebpf.NewCollection(spec)
	if err != nil {
		t.Fatalf("%+v", err)
	}
	t.Cleanup(objs.Close)
	r := &replay{
		t: t, maps: objs.Maps, fakes: make(map[int]fake),
		step: objs.Programs["replay_step"], world: objs.Variables["world"],
		snap: objs.Programs[slicetraceProgStSnapshot], wanted: objs.Variables[slicetraceVarStWanted],
	}
	r.objs = &Objects{collection: objs}
	r.objs.assign()
	r.must(makePlaces(objs, o.Tasks))
	r.task(idle, fake{})
	for i := a; i <= d; i++ {
		r.task(i, fake{})
	}
	return r
}

func set(spec *ebpf.CollectionSpec, variable string, value any) {
	if err := spec.Variables[variable].Set(value); err != nil {
		panic(err)
	}
}

func (r *replay) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// do takes one step on a core at a time.
func (r *replay) do(step replayStep, cpu uint32, at uint64, change func(*replayReplayWorld)) {
	r.t.Helper()
	w := replayReplayWorld{Now: at, Pace: r.pace, Step: uint32(step), Cpu: cpu}
	if change != nil {
		change(&w)
	}
	r.must(r.world.Set(&w))
	ret, err := r.step.Run(&ebpf.RunOptions{})
	if err != nil || ret != 0 {
		r.t.Fatalf("step %d: program returned %d, %v", step, ret, err)
	}
}

// task gives a task the properties of f. Each task has an address space of its own unless f
// names one.
func (r *replay) task(i int, f fake) {
	r.t.Helper()
	if f.tid == 0 {
		f.tid = uint32(10 * i)
	}
	if f.tgid == 0 {
		f.tgid = f.tid
	}
	if f.mm == 0 && i != idle && !f.noMM {
		f.mm = uint64(1000 + i)
	}
	if f.activeMM == 0 {
		f.activeMM = f.mm
	}
	r.fakes[i] = f
	r.do(replayStepSTEP_TASK, 0, 0, func(w *replayReplayWorld) {
		w.Task = uint32(i)
		w.Fake.Pid, w.Fake.Tgid, w.Fake.Flags, w.Fake.State, w.Fake.Cpu = f.tid, f.tgid, f.flags, f.state, f.cpu
		w.Fake.Mm, w.Fake.ActiveMm, w.Fake.Syscall = f.mm, f.activeMM, f.syscall
		w.Fake.Nvcsw, w.Fake.Nivcsw, w.Fake.Arrival, w.Fake.Queued = f.nvcsw, f.nivcsw, f.arrival, f.queued
		if f.compat {
			w.Fake.Compat = 1
		}
		if f.throttled {
			w.Fake.Throttled = 1
		}
		w.Fake.Comm = [16]int8{'t', int8('0' + i)}
	})
}

func (r *replay) entry(cpu uint32, at uint64) { r.t.Helper(); r.do(replayStepSTEP_ENTRY, cpu, at, nil) }
func (r *replay) exit(cpu uint32, at uint64)  { r.t.Helper(); r.do(replayStepSTEP_EXIT, cpu, at, nil) }

// timerBegins and timerEnds are a timer's turn on a core where current runs, whose flags it
// sets.
func (r *replay) timerBegins(cpu uint32, at uint64, timer, current int) {
	r.t.Helper()
	r.do(replayStepSTEP_TIMER_BEGINS, cpu, at, func(w *replayReplayWorld) {
		w.Timer, w.Current = uint32(timer), uint32(current)
	})
}

func (r *replay) timerEnds(cpu uint32, at uint64, timer, current int, sets uint64) {
	r.t.Helper()
	r.do(replayStepSTEP_TIMER_ENDS, cpu, at, func(w *replayReplayWorld) {
		w.Timer, w.Current, w.Sets = uint32(timer), uint32(current), sets
	})
}

// tick is a tick that asks by the flags in sets: resched, lazy or 0.
func (r *replay) tick(cpu uint32, at uint64, current int, sets uint64) {
	r.t.Helper()
	r.timerBegins(cpu, at, timerTick, current)
	r.timerEnds(cpu, at, timerTick, current, sets)
}

// switchTo is the sched_switch alone.
func (r *replay) switchTo(cpu uint32, at uint64, prev, next int) {
	r.t.Helper()
	r.do(replayStepSTEP_SWITCH, cpu, at, func(w *replayReplayWorld) { w.Task, w.Other = uint32(prev), uint32(next) })
}

// preempt is a switch inside the kernel.
func (r *replay) preempt(cpu uint32, at uint64, prev, next int) {
	r.t.Helper()
	r.do(replayStepSTEP_SWITCH, cpu, at, func(w *replayReplayWorld) {
		w.Task, w.Other, w.Preempt = uint32(prev), uint32(next), 1
	})
}

// exitOf is a sched_exit_tp while current runs.
func (r *replay) exitOf(cpu uint32, at uint64, current int) {
	r.t.Helper()
	r.do(replayStepSTEP_EXIT, cpu, at, func(w *replayReplayWorld) { w.Current = uint32(current) })
}

// switchTold is a sched_switch that passes prev's state, as newer kernels do.
func (r *replay) switchTold(cpu uint32, at uint64, prev, next int, state uint32) {
	r.t.Helper()
	r.do(replayStepSTEP_SWITCH, cpu, at, func(w *replayReplayWorld) {
		w.Task, w.Other, w.PrevState = uint32(prev), uint32(next), state
	})
}

// turn is a whole switch: pick takes 10 and the switch phase 20.
func (r *replay) turn(cpu uint32, at uint64, prev, next int) {
	r.t.Helper()
	r.entry(cpu, at-10)
	r.switchTo(cpu, at, prev, next)
	r.exit(cpu, at+20)
}

func (r *replay) wake(cpu uint32, at uint64, task, waker int) {
	r.t.Helper()
	r.do(replayStepSTEP_WAKEUP, cpu, at, func(w *replayReplayWorld) { w.Task, w.Current = uint32(task), uint32(waker) })
}

// fork is a child's birth, and its first wakeup at a time of its own.
func (r *replay) fork(cpu uint32, at, woken uint64, parent, child int) {
	r.t.Helper()
	r.do(replayStepSTEP_FORK, cpu, at, func(w *replayReplayWorld) {
		w.Task, w.Other, w.Current = uint32(parent), uint32(child), uint32(parent)
	})
	r.wakeNew(cpu, woken, parent, child)
}

// wakeNew is the first wakeup of a task.
func (r *replay) wakeNew(cpu uint32, woken uint64, parent, child int) {
	r.t.Helper()
	r.do(replayStepSTEP_WAKEUP_NEW, cpu, woken, func(w *replayReplayWorld) {
		w.Task, w.Current = uint32(child), uint32(parent)
	})
}

func (r *replay) leave(cpu uint32, at uint64, task int) {
	r.t.Helper()
	r.do(replayStepSTEP_LEAVE, cpu, at, func(w *replayReplayWorld) { w.Task = uint32(task) })
}

func (r *replay) exec(cpu uint32, at uint64, task int, was uint32) {
	r.t.Helper()
	r.do(replayStepSTEP_EXEC, cpu, at, func(w *replayReplayWorld) { w.Task, w.OldTid = uint32(task), was })
}

// rename is task_rename of a task by another, or by itself.
func (r *replay) rename(cpu uint32, at uint64, task, current int, comm byte) {
	r.t.Helper()
	r.do(replayStepSTEP_RENAME, cpu, at, func(w *replayReplayWorld) {
		w.Task, w.Current, w.Fake.Comm = uint32(task), uint32(current), [16]int8{int8(comm)}
	})
}

// watch does what the collector does to watch a task, at the time 0.
func (r *replay) watch(task int, children uint8) {
	r.t.Helper()
	if state := r.tryToWatch(task, children); state != Watching {
		r.t.Fatalf("watch task %d: state %d", task, state)
	}
}

// tryToWatch returns what becomes of that.
func (r *replay) tryToWatch(task int, children uint8) uint8 {
	r.t.Helper()
	wanted := wantedTable(r.wanted)
	wanted[0] = Wanted{Tid: r.fakes[task].tid, Children: children}
	r.must(r.wanted.Set(wanted))
	r.do(replayStepSTEP_WATCH, 0, 0, func(w *replayReplayWorld) { w.Task = uint32(task) })
	r.must(r.wanted.Get(wanted))
	return wanted[0].State
}

// watched returns the record of the task that is watched under a tid, nil if there is no such task.
func (r *replay) watched(tid uint32) *WatchedTask {
	r.t.Helper()
	for slot := range r.maps[slicetraceMapStTasks].MaxEntries() {
		var w WatchedTask
		r.must(r.maps[slicetraceMapStTasks].Lookup(slot, &w))
		if w.Key != 0 && w.Tid == tid {
			return &w
		}
	}
	return nil
}

// exits returns those that were sent since the last call.
func (r *replay) exits() (all []TaskExit) {
	r.t.Helper()
	for _, record := range r.records() {
		var o TaskExit
		r.must(binary.Read(bytes.NewReader(record), binary.NativeEndian, &o))
		want(r.t, "type", uint64(o.Record), RecordTaskExit)
		all = append(all, o)
	}
	return all
}

func (r *replay) core(cpu uint32) CPUState {
	r.t.Helper()
	var core CPUState
	r.must(r.maps[slicetraceMapStCpus].Lookup(cpu, &core))
	return core
}

// snapshot reads a core on which current runs.
func (r *replay) snapshot(cpu uint32, at uint64, current int) Snapshot {
	r.t.Helper()
	r.must(r.world.Set(&replayReplayWorld{Now: at, Pace: r.pace, Cpu: cpu, Current: uint32(current)}))
	ret, err := r.snap.Run(&ebpf.RunOptions{})
	if err != nil || ret != 0 {
		r.t.Fatalf("snapshot: program returned %d, %v", ret, err)
	}
	var s Snapshot
	r.must(r.maps[slicetraceMapStSnapshotBuf].Lookup(uint32(0), &s))
	return s
}

func (r *replay) globals() Globals {
	r.t.Helper()
	var globals Globals
	r.must(r.objs.Globals.Get(&globals))
	return globals
}

func (r *replay) places() Places {
	r.t.Helper()
	var places Places
	r.must(r.objs.Places.Get(&places))
	return places
}

// records returns what was sent since the last call.
func (r *replay) records() [][]byte {
	r.t.Helper()
	reader, err := ringbuf.NewReader(r.maps[slicetraceMapStRing])
	r.must(err)
	defer reader.Close()
	reader.SetDeadline(time.Unix(1, 0))
	var all [][]byte
	for {
		record, err := reader.Read()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return all
		}
		r.must(err)
		all = append(all, record.RawSample)
	}
}

// endedBy counts a core's slices by their cause.
func endedBy(s *Snapshot, cause int) (slices uint32) {
	for _, n := range s.Sums.Slices[cause].Bucket {
		slices += n
	}
	return slices
}

// switches counts a core's switches of all classes.
func switches(s *Snapshot) (n uint64) {
	for i := range s.Sums.Classes {
		n += s.Sums.Classes[i].Switches
	}
	return n
}

const (
	yieldCall       = int32(unix.SYS_SCHED_YIELD)
	yieldCompatCall = 158 // of 32-bit programs, on both architectures
)
