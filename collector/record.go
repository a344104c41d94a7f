package collector

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/sched"
)

// startRecording starts a recording. It returns nil if there is to be none.
func (c *Collector) startRecording(o *Recording) (*eventWriter, error) {
	if o == nil {
		return nil, nil
	}
	header := o.Header
	header.Created, header.MonotonicNS = time.Now().UTC(), int64(c.now())
	header.Pick, header.Switch = c.objs.Pick.Name, c.objs.Switch.Name
	for _, core := range c.cores {
		header.CPUs = append(header.CPUs, core.cpu)
	}
	if o.Flight != nil {
		w := newEventWriter(o.Flight)
		w.flight = o.Flight
		return w, o.Flight.Begin(header)
	}
	out, err := recording.NewWriter(o.Out, header)
	if err != nil {
		return nil, err
	}
	return newEventWriter(out), nil
}

// Mark notes in the recording when a trial ran, in the time of Now. Without a recording it
// does nothing. If it cannot be written, FinishRecording returns the error.
func (c *Collector) Mark(m recording.Mark) error {
	m.StartNS -= c.ahead.Nanoseconds()
	m.EndNS -= c.ahead.Nanoseconds()
	return c.ring.withWriter(func(r *eventWriter) {
		if r != nil {
			r.out.put(m, 0)
		}
	})
}

// FinishRecording writes what is left of the recording, and its end, which it returns. Later
// events are not recorded. The error is that of the first write that failed; nothing was
// written after it.
func (c *Collector) FinishRecording() (recording.End, error) {
	var end recording.End
	var out *frameWriter
	var failed error
	cutting := c.cutter.stop()
	c.mu.Lock()
	err := c.ring.withWriter(func(r *eventWriter) {
		failed = c.finish(r)
		end, out = r.end, r.out
	})
	c.mu.Unlock()
	if err = errors.Join(err, failed, cutting); err == nil {
		err = out.finish()
	}
	return end, err
}

// finish ends the recording at the moment when it reads the counters: on each core between
// two of its switches, and with the last wakeup that was sent.
func (c *Collector) finish(r *eventWriter) error {
	if err := c.read(); err != nil {
		return err
	}
	c.accumulate()
	globals, err := c.globals()
	if err != nil {
		return err
	}
	// A core that has not been read did nothing up to now.
	r.until = c.now()
	for _, core := range c.cores {
		r.core(core.cpu).until = core.now.Sent
	}
	// Reads the events that were sent when the counters were read.
	if err := c.ring.drain(); err != nil {
		return err
	}
	r.end.LostTasks += globals.LostNames
	for _, core := range c.cores {
		if err := c.finishCore(r, core); err != nil {
			return fmt.Errorf("finish recording of core %d: %w", core.cpu, err)
		}
	}
	r.finish()
	return nil
}

// finishCore adds what a core has not sent. Its snapshot holds the phases of its last switch,
// and how many events found no room when it was taken.
func (c *Collector) finishCore(r *eventWriter, from *core) error {
	lost := from.now.Lost
	if from.offline { // where no program could run to send them
		var raw bpf.EventBuf
		if err := c.objs.EventBufs.Lookup(uint32(from.cpu), &raw); err != nil {
			return err
		}
		raw.Out.Cpu = uint32(from.cpu)
		r.events(&raw.Out)
		if raw.Out.NamePending != 0 && raw.Out.NameBusy == 0 {
			r.name(&raw.Name)
		}
		lost = uint64(raw.Missed - raw.MissedSent)
	}
	r.end.Counted += from.now.Cpu.Switches
	r.core(from.cpu).closeLast(&from.now.Cpu)
	if lost > 0 {
		r.lost(r.core(from.cpu), lost)
	}
	return nil
}

// closeLast adds the phases of a core's last switch, from the core's snapshot.
func (c *recordedCore) closeLast(last *bpf.CPUState) {
	var flags uint8
	if last.PickValid != 0 {
		flags |= bpf.EventPickValid
	}
	if last.ExitStamp > 0 {
		flags |= bpf.EventSwitchValid
	}
	c.close(uint8(last.Class), flags, last.PickNs, uint32(last.ExitStamp-last.SliceStart))
}

// runningTasks returns the names of all tasks of the machine.
func runningTasks() []recording.Task {
	var tasks []recording.Task
	// A task that ends meanwhile has no directory or no name any more, and is left out.
	dirs, _ := filepath.Glob("/proc/[0-9]*/task/[0-9]*")
	for _, dir := range dirs {
		comm, err := os.ReadFile(dir + "/comm")
		if err != nil {
			continue
		}
		fields := strings.Split(dir, "/")
		tgid, _ := strconv.Atoi(fields[2])
		tid, _ := strconv.Atoi(fields[4])
		tasks = append(tasks, recording.Task{
			TID: sched.TID(tid), TGID: sched.PID(tgid), Comm: string(bytes.TrimSuffix(comm, []byte("\n"))),
		})
	}
	return tasks
}
