package collector

import (
	"bytes"
	"maps"
	"slices"
	"unsafe"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/collector/flight"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/sched"
)

// blockEvents is how many events of a core make a block of the recording, and namesAtMost
// how many names are kept back until one is written.
const (
	blockEvents = 4096
	namesAtMost = 4096
)

// eventWriter makes the frames of a recording from what the kernel side sends.
type eventWriter struct {
	out   *frameWriter
	cores map[sched.CPU]*recordedCore
	names []recording.Task
	end   recording.End
	// until, if not 0, is when the recording ends on cores that have no until of their own.
	until uint64
	ended bool
	// flight is where the frames go if they go to a flight recorder. cutting keeps blocks from being
	// written while it is found out where a cut divides them.
	flight  *flight.Recorder
	cutting bool
}

// recordedCore gathers one core's events.
type recordedCore struct {
	block recording.Block
	// open is the index of the last switch, whose phases come with the next; -1 if it has them.
	open int
	// until, if not 0, is when the recording ends: later events are left out.
	until uint64
	// counted is how many switches the counters had counted at the last cut for a flight recorder.
	counted uint64
}

func newEventWriter(out frameTaker) *eventWriter {
	return &eventWriter{out: newFrameWriter(out), cores: make(map[sched.CPU]*recordedCore)}
}

func (w *eventWriter) core(cpu sched.CPU) *recordedCore {
	core := w.cores[cpu]
	if core == nil {
		core = &recordedCore{open: -1}
		core.block.CPU = cpu
		w.cores[cpu] = core
	}
	return core
}

// events adds a block of events that one core sent.
func (w *eventWriter) events(raw *bpf.Events) {
	if w.ended {
		return
	}
	core := w.core(sched.CPU(raw.Cpu))
	until := core.until
	if until == 0 {
		until = w.until
	}
	events := raw.Event[:min(int(raw.Count), len(raw.Event))]
	if until > 0 && len(events) > 0 && events[0].Time > until {
		return // the snapshot that ended the recording has counted what was lost before it
	}
	if raw.Lost > 0 {
		w.lost(core, raw.Lost)
	}
	for i := range events {
		e := &events[i]
		if until > 0 && e.Time > until {
			return
		}
		if e.Flags&bpf.EventWakeup != 0 {
			w.end.Wakeups++
			core.add(recording.Event{
				TimeNS: int64(e.Time), Kind: recording.Wakeup, Next: sched.TID(e.Next), CPU: sched.CPU(e.Cpu),
			})
			continue
		}
		w.end.Switches++
		core.close(e.Class, e.Flags, e.PickNs, e.SwitchNs)
		core.open = len(core.block.Events)
		core.add(switchOf(e))
	}
	if raw.PendingPhases != 0 {
		core.close(raw.Class, raw.Flags, raw.PickNs, raw.SwitchNs)
	}
	if len(core.block.Events) >= blockEvents && !w.cutting {
		w.writeWhole(core)
	}
}

// writeWhole writes a core's events, except a last switch whose phases have not come yet.
func (w *eventWriter) writeWhole(core *recordedCore) {
	whole := len(core.block.Events)
	if core.open >= 0 {
		whole = core.open
	}
	w.write(core, whole)
}

// lost notes that n events of a core are missing after those that have come. With them the
// phases of the last switch are lost.
func (w *eventWriter) lost(core *recordedCore, n uint64) {
	core.open = -1
	w.write(core, len(core.block.Events))
	core.block.Lost += n
	w.end.Lost += n
}

// switchOf returns a switch whose phases are still to come.
func switchOf(e *bpf.Event) recording.Event {
	s := recording.Event{
		TimeNS: int64(e.Time), Prev: sched.TID(e.Prev), Next: sched.TID(e.Next),
		SliceNS: -1, PickNS: -1, SwitchNS: -1, Class: recording.NoClass, EndedBy: recording.NoCause,
		State: stateLetter(e.State),
	}
	if e.Flags&bpf.EventPreempt != 0 {
		s.State = 'R' // it may have been about to block, but the kernel made it wait for a core
	}
	if e.SliceStart > 0 {
		s.SliceNS = int64(e.Time - e.SliceStart)
	}
	if int(e.Cause) < len(report.Causes()) {
		s.EndedBy = e.Cause
	}
	return s
}

func (c *recordedCore) add(e recording.Event) { c.block.Events = append(c.block.Events, e) }

// close adds the phases of the core's last switch.
func (c *recordedCore) close(class, flags uint8, pick, switchPhase uint32) {
	if c.open < 0 {
		return
	}
	e := &c.block.Events[c.open]
	c.open = -1
	if int(class) >= len(report.Classes()) {
		return
	}
	e.Class = class
	if flags&bpf.EventPickValid != 0 {
		e.PickNS = int64(pick)
	}
	if flags&bpf.EventSwitchValid != 0 {
		e.SwitchNS = int64(switchPhase)
	}
}

// write writes the first n of a core's events, and keeps the rest.
func (w *eventWriter) write(core *recordedCore, n int) {
	if n == 0 {
		return
	}
	w.writeNames()
	b := core.block
	events := b.Events
	b.Events = events[:n]
	core.block.Events = append(w.out.buffer(), events[n:]...)
	core.open -= n
	if w.out.put(&b, n) {
		core.block.Lost = 0
		return
	}
	for i := range b.Events {
		if b.Events[i].Kind == recording.Wakeup {
			w.end.Wakeups--
		} else {
			w.end.Switches--
		}
	}
	core.block.Lost += uint64(n)
	w.end.Lost += uint64(n)
}

// name adds one task's name.
func (w *eventWriter) name(raw *bpf.TaskName) {
	comm := unsafe.Slice((*byte)(unsafe.Pointer(&raw.Comm[0])), len(raw.Comm))
	comm, _, _ = bytes.Cut(comm, []byte{0})
	w.tasks([]recording.Task{{
		TimeNS: int64(raw.Time), TID: sched.TID(raw.Tid), TGID: sched.PID(raw.Tgid), Parent: sched.TID(raw.Parent),
		Comm: string(comm),
	}})
}

func (w *eventWriter) tasks(tasks []recording.Task) {
	w.names = append(w.names, tasks...)
	if len(w.names) < namesAtMost {
		return
	}
	// The events to which the names belong are written with them, so that a reader need not
	// keep the names for long.
	for _, core := range w.cores {
		w.writeWhole(core)
	}
	w.writeNames()
}

// writeNames writes the names that came since the last time, ahead of the events that need
// them.
func (w *eventWriter) writeNames() {
	if len(w.names) > 0 && !w.out.put(w.names, len(w.names)) {
		w.end.LostTasks += uint64(len(w.names))
	}
	w.names = nil
}

// finish writes what is left, and the end.
func (w *eventWriter) finish() {
	for _, cpu := range slices.Sorted(maps.Keys(w.cores)) {
		core := w.cores[cpu]
		w.write(core, len(core.block.Events))
		if core.block.Lost > 0 {
			w.out.put(&recording.Block{CPU: cpu, Lost: core.block.Lost}, 0)
		}
	}
	w.writeNames()
	w.out.put(w.end, 0)
	w.ended = true
}

// stateLetter is how the kernel prints a task's __state (fs/proc/array.c).
func stateLetter(state uint16) byte {
	const (
		idle   = 0x402  // TASK_IDLE: TASK_UNINTERRUPTIBLE | TASK_NOLOAD
		locked = 0x1000 // TASK_RTLOCK_WAIT
		frozen = 0x8000 // TASK_FROZEN
		waking = 0x200  // TASK_WAKING
	)
	switch {
	case state == 0:
		return 'R'
	case state&idle == idle:
		return 'I'
	case state&0x80 != 0: // TASK_DEAD
		return 'X'
	case state&(locked|frozen) != 0:
		return 'D'
	case state&waking != 0: // read too late, before 5.18: it was asleep, in a way that is not known
		return 'S'
	}
	for i, letter := range "SDTtXZP" {
		if state&(1<<i) != 0 {
			return byte(letter)
		}
	}
	return 'R'
}
