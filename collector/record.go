package collector

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/recording"
)

// blockEvents is how many events of a core make a block of the recording.
const blockEvents = 4096

// recorder makes a recording of what the kernel side sends.
type recorder struct {
	out   *recording.Writer
	cores map[uint32]*recordedCore
	names []recording.Task
	end   recording.End
	// err is why nothing is written any more.
	err error
}

// recordedCore gathers one core's events.
type recordedCore struct {
	block recording.Block
	// open is the index of the last switch, whose phases come with the next, or -1.
	open int
	// until, if not 0, is when the recording ends: what comes later is left out.
	until uint64
}

// newRecorder begins a recording; nil where none is asked for.
func (c *Collector) newRecorder(o *Recording) (*recorder, error) {
	if o == nil {
		return nil, nil
	}
	header := o.Header
	header.Created, header.MonotonicNS = time.Now().UTC(), Now()
	header.Pick, header.Switch = c.objs.Pick, c.objs.Switch
	for i := range c.cores {
		header.CPUs = append(header.CPUs, c.cores[i].cpu)
	}
	out, err := recording.NewWriter(o.Out, header)
	if err != nil {
		return nil, err
	}
	return &recorder{out: out, cores: make(map[uint32]*recordedCore)}, nil
}

func (r *recorder) core(cpu uint32) *recordedCore {
	core := r.cores[cpu]
	if core == nil {
		core = &recordedCore{open: -1}
		core.block.CPU = int(cpu)
		r.cores[cpu] = core
	}
	return core
}

// events takes over what one core sent.
func (r *recorder) events(raw *bpf.Events) {
	core := r.core(raw.Cpu)
	if raw.Lost > 0 {
		// What was lost holds the phases of the last switch before.
		core.open = -1
		r.write(core, len(core.block.Events))
		core.block.Lost = raw.Lost
		r.end.Lost += raw.Lost
	}
	for i := range raw.Event[:min(int(raw.Count), len(raw.Event))] {
		e := &raw.Event[i]
		if core.until > 0 && e.Time > core.until {
			return
		}
		if e.Flags&bpf.EventWakeup != 0 {
			r.end.Wakeups++
			core.add(recording.Event{TimeNS: int64(e.Time), Kind: recording.Wakeup, Next: int32(e.Next), CPU: int32(e.Cpu)})
			continue
		}
		r.end.Switches++
		core.close(e.Class, e.Flags, e.Pick, e.Took)
		core.open = len(core.block.Events)
		core.add(switchOf(e))
	}
	if raw.Stashed != 0 {
		core.close(raw.Class, raw.Flags, raw.Pick, raw.Took)
	}
	if len(core.block.Events) >= blockEvents {
		whole := len(core.block.Events)
		if core.open >= 0 {
			whole = core.open
		}
		r.write(core, whole)
	}
}

// switchOf leaves the phases open.
func switchOf(e *bpf.Event) recording.Event {
	s := recording.Event{
		TimeNS: int64(e.Time), Prev: int32(e.Prev), Next: int32(e.Next),
		SliceNS: -1, PickNS: -1, SwitchNS: -1, Class: recording.NoClass, EndedBy: recording.NoCause,
		State: stateLetter(e.State),
	}
	if e.Since > 0 {
		s.SliceNS = int64(e.Time - e.Since)
	}
	if int(e.Cause) < len(report.Causes()) {
		s.EndedBy = e.Cause
	}
	return s
}

func (c *recordedCore) add(e recording.Event) { c.block.Events = append(c.block.Events, e) }

// close adds the phases of the core's last switch.
func (c *recordedCore) close(class, flags uint8, pick, took uint32) {
	if c.open < 0 {
		return
	}
	e := &c.block.Events[c.open]
	c.open = -1
	if int(class) >= len(report.Classes()) {
		return
	}
	e.Class = class
	if flags&bpf.EventPicked != 0 {
		e.PickNS = int64(pick)
	}
	if flags&bpf.EventEnded != 0 {
		e.SwitchNS = int64(took)
	}
}

// write writes the first n of a core's events, and keeps the rest.
func (r *recorder) write(core *recordedCore, n int) {
	if n == 0 {
		return
	}
	b := core.block
	b.Events = b.Events[:n]
	r.writeNames()
	r.fail(func() error { return r.out.Block(b) })
	rest := copy(core.block.Events, core.block.Events[n:])
	core.block.Events = core.block.Events[:rest]
	core.block.Lost = 0
	core.open -= n
}

// name takes over one task's name.
func (r *recorder) name(raw *bpf.TaskName) {
	comm := unsafe.Slice((*byte)(unsafe.Pointer(&raw.Comm[0])), len(raw.Comm))
	comm, _, _ = bytes.Cut(comm, []byte{0})
	r.tasks([]recording.Task{{TimeNS: int64(raw.Time), TID: int32(raw.Tid), TGID: int32(raw.Tgid), Comm: string(comm)}})
}

func (r *recorder) tasks(tasks []recording.Task) { r.names = append(r.names, tasks...) }

// writeNames writes the names that came since the last time, ahead of the events
// that need them.
func (r *recorder) writeNames() {
	if len(r.names) > 0 {
		r.fail(func() error { return r.out.Tasks(r.names) })
		r.names = r.names[:0]
	}
}

// fail writes, unless that has failed before.
func (r *recorder) fail(write func() error) {
	if r.err == nil {
		r.err = write()
	}
}

// finish writes what is left. Snapshots of the cores hold the phases of each
// one's last switch.
func (r *recorder) finish(cores []core) {
	for i := range cores {
		raw := &cores[i].now.Core
		r.end.Counted += raw.Switches
		core := r.core(uint32(cores[i].cpu))
		var flags uint8
		if raw.Picked != 0 {
			flags |= bpf.EventPicked
		}
		if raw.Exit > 0 {
			flags |= bpf.EventEnded
		}
		core.close(uint8(raw.Class), flags, raw.Pick, uint32(raw.Exit-raw.Since))
		r.write(core, len(core.block.Events))
	}
	r.writeNames()
	r.fail(func() error { return r.out.Close(r.end) })
}

// Mark notes in the recording when a trial ran. Without a recording it does nothing.
func (c *Collector) Mark(m recording.Mark) error {
	return c.ring.record(func(r *recorder) {
		if r != nil {
			r.fail(func() error { return r.out.Mark(m) })
		}
	})
}

// FinishRecording writes what is left of the recording and its end, and returns
// it. What comes later is not recorded. The error is that of the first write that
// failed; nothing was written after it.
func (c *Collector) FinishRecording() (recording.End, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var end recording.End
	var failed error
	err := c.ring.record(func(r *recorder) {
		if failed = c.finish(r); failed == nil {
			end, failed = r.end, r.err
		}
		r.err = errFinished
	})
	return end, errors.Join(err, failed)
}

// finish ends the recording where it reads the counters: on each core at one instant.
func (c *Collector) finish(r *recorder) error {
	if err := c.read(); err != nil {
		return err
	}
	c.fold()
	totals, err := c.totals()
	if err != nil {
		return err
	}
	for i := range c.cores {
		r.core(uint32(c.cores[i].cpu)).until = c.cores[i].now.Now
	}
	// What the reading of the counters has sent.
	if err := c.ring.drain(); err != nil {
		return err
	}
	r.end.LostTasks = totals.LostNames
	r.finish(c.cores)
	return nil
}

// errFinished keeps what comes after a recording's end out of it.
var errFinished = errors.New("the recording has ended")

// stateLetter is how the kernel prints a task's __state (fs/proc/array.c).
func stateLetter(state uint16) byte {
	const idle = 0x402 // TASK_IDLE: TASK_UNINTERRUPTIBLE | TASK_NOLOAD
	switch {
	case state == 0:
		return 'R'
	case state&idle == idle:
		return 'I'
	case state&0x80 != 0: // TASK_DEAD
		return 'X'
	}
	for i, letter := range "SDTtXZP" {
		if state&(1<<i) != 0 {
			return byte(letter)
		}
	}
	return 'R'
}

// runningTasks returns the names of all tasks that there are.
func runningTasks() []recording.Task {
	var tasks []recording.Task
	// A task that ends meanwhile is not there, or has no name.
	dirs, _ := filepath.Glob("/proc/[0-9]*/task/[0-9]*")
	for _, dir := range dirs {
		comm, err := os.ReadFile(dir + "/comm")
		if err != nil {
			continue
		}
		fields := strings.Split(dir, "/")
		tgid, _ := strconv.Atoi(fields[2])
		tid, _ := strconv.Atoi(fields[4])
		tasks = append(tasks, recording.Task{TID: int32(tid), TGID: int32(tgid), Comm: string(bytes.TrimSuffix(comm, []byte("\n")))})
	}
	return tasks
}
