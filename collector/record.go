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
)

// newRecorder begins a recording; nil where none is asked for.
func (c *Collector) newRecorder(o *Recording) (*recorder, error) {
	if o == nil {
		return nil, nil
	}
	header := o.Header
	header.Created, header.MonotonicNS = time.Now().UTC(), int64(c.now())
	header.Pick, header.Switch = c.objs.Pick, c.objs.Switch
	for _, core := range c.cores {
		header.CPUs = append(header.CPUs, core.cpu)
	}
	out, err := recording.NewWriter(o.Out, header)
	if err != nil {
		return nil, err
	}
	return newRecorder(out), nil
}

// Mark notes in the recording when a trial ran, by Now. Without a recording it does
// nothing. That something could not be written FinishRecording says.
func (c *Collector) Mark(m recording.Mark) error {
	m.StartNS -= c.ahead.Nanoseconds()
	m.EndNS -= c.ahead.Nanoseconds()
	return c.ring.record(func(r *recorder) {
		if r != nil {
			r.out.put(m, 0)
		}
	})
}

// FinishRecording writes what is left of the recording and its end, and returns
// it. What comes later is not recorded. The error is that of the first write that
// failed; nothing was written after it.
func (c *Collector) FinishRecording() (recording.End, error) {
	var end recording.End
	var out *recordWriter
	var failed error
	c.mu.Lock()
	err := c.ring.record(func(r *recorder) {
		failed = c.finish(r)
		end, out = r.end, r.out
	})
	c.mu.Unlock()
	if err = errors.Join(err, failed); err == nil {
		err = out.finish()
	}
	return end, err
}

// finish ends the recording where it reads the counters: on each core between two of its
// switches, and with the last wakeup that was sent.
func (c *Collector) finish(r *recorder) error {
	if err := c.read(); err != nil {
		return err
	}
	c.fold()
	totals, err := c.totals()
	if err != nil {
		return err
	}
	// A core that has not been read did nothing before.
	r.until = c.now()
	for _, core := range c.cores {
		r.core(uint32(core.cpu)).until = core.now.Sent
	}
	// What the reading of the counters has sent.
	if err := c.ring.drain(); err != nil {
		return err
	}
	r.end.LostTasks += totals.LostNames
	for _, core := range c.cores {
		if err := c.finishCore(r, core); err != nil {
			return fmt.Errorf("finish recording of core %d: %w", core.cpu, err)
		}
	}
	r.finish()
	return nil
}

// finishCore adds what a core has not sent. Its snapshot holds the phases of its last
// switch, and what found no room when it was taken.
func (c *Collector) finishCore(r *recorder, from *core) error {
	core, lost := r.core(uint32(from.cpu)), from.now.Lost
	if from.away { // no program could send for it
		var raw bpf.Raw
		if err := c.objs.Raw.Lookup(uint32(from.cpu), &raw); err != nil {
			return err
		}
		raw.Out.Cpu = uint32(from.cpu)
		r.events(&raw.Out)
		if raw.Out.Named != 0 && raw.Out.Naming == 0 {
			r.name(&raw.Name)
		}
		lost = uint64(raw.Missed - raw.Said)
	}
	last := &from.now.Core
	r.end.Counted += last.Switches
	var flags uint8
	if last.Picked != 0 {
		flags |= bpf.EventPicked
	}
	if last.Exit > 0 {
		flags |= bpf.EventEnded
	}
	core.close(uint8(last.Class), flags, last.Pick, uint32(last.Exit-last.Since))
	if lost > 0 {
		r.lost(core, lost)
	}
	return nil
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
