// Package timeline reads short parts of a recording: which task had which core when,
// slice by slice.
//
//	recording file → Read → []Window → render.HTML
package timeline

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/sched"
)

// Options are which parts of a recording to read. The zero value means a short
// part from the middle of the first trial of each workload, variant and mode.
type Options struct {
	// If Chosen is true, there is only one window, which begins at Start after the beginning
	// of the recording.
	Chosen bool
	Start  time.Duration
	// Length is how long a window is at most, DefaultLength if 0.
	Length time.Duration
	// Slices is how many slices all windows together have at most, DefaultSlices if 0. A
	// window that has more than its share ends early.
	Slices int
	// Accept, if not nil, is called with the recording's header and end; the end is nil if
	// the recording was cut short. If Accept returns an error, Read returns that error.
	Accept func(recording.Header, *recording.End) error
}

// The defaults of Options.
const (
	DefaultLength = 40 * time.Millisecond
	DefaultSlices = 24_000
	// most is how many slices one window has at most.
	most = 4000
)

// Window is what tasks did on the cores in a short part of a recording.
type Window struct {
	// Mark is the trial that the window is in, zero if it is in no trial.
	Mark recording.Mark
	// OriginNS is CLOCK_MONOTONIC at the recording's start. StartNS and EndNS are
	// CLOCK_MONOTONIC at the window's start and end.
	OriginNS, StartNS, EndNS int64
	// CPUs are all cores of the recording, including those that came online later.
	CPUs []sched.CPU
	// Slices are those that overlap the window, by start. Idle time has no slices.
	Slices []Slice
	// Tasks are the tasks that have slices: workers in order, then other tasks by time used.
	Tasks []Task
	// Lost counts the events that are missing before or between events in the window.
	Lost uint64

	// done are the cores of which events after the window have been read.
	done map[sched.CPU]bool
}

// Slice is the time that a task kept a core.
type Slice struct {
	CPU            sched.CPU
	TID            sched.TID
	StartNS, EndNS int64
	// EndedBy is as in recording.Event. PickNS and SwitchNS are the phases of the switch
	// that ended the slice.
	EndedBy          uint8
	PickNS, SwitchNS int64

	// tgid and comm are the task's process and name when the slice ended.
	tgid sched.PID
	comm string
}

// Task is a task and what it did in the window.
type Task struct {
	TID  sched.TID
	TGID sched.PID
	// Comm is hostile input, as in recording.Task.
	Comm string
	// Worker is its number in the trial, -1 for a task that is no worker.
	Worker int
	// Slices is how many of its slices overlap the window, OnCPUNS is their time inside
	// the window, and LongestNS is the whole length of the longest one.
	Slices             int
	OnCPUNS, LongestNS int64
}

// ErrNoWindow means that a recording has no slices at the time asked for.
var ErrNoWindow = errors.New("the recording has no slices there")

// Read reads windows of a recording. It reads the recording twice, since the mark of a
// trial comes after the trial's events. Of a recording that was cut short it reads what
// there is.
func Read(in io.ReadSeeker, opts Options) ([]Window, error) {
	if opts.Length <= 0 {
		opts.Length = DefaultLength
	}
	if opts.Slices <= 0 {
		opts.Slices = DefaultSlices
	}
	c, err := readContents(in)
	if err != nil {
		return nil, err
	}
	if opts.Accept != nil {
		if err := opts.Accept(c.header, c.end); err != nil {
			return nil, err
		}
	}
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read recording: %w", err)
	}
	windows := c.choose(opts)
	limit := min(most, max(1, opts.Slices/max(1, len(windows))))
	all := make([]*Window, len(windows))
	for i := range windows {
		all[i] = &windows[i]
	}
	if err := fill(in, all, limit); err != nil {
		return nil, err
	}
	if !opts.Chosen {
		empty := slices.DeleteFunc(all, (*Window).busy)
		if err := refill(in, empty, opts.Length.Nanoseconds(), limit); err != nil {
			return nil, err
		}
	}
	for i := range windows {
		windows[i].sumTasks()
	}
	windows = slices.DeleteFunc(windows, func(w Window) bool { return len(w.Slices) == 0 })
	if len(windows) == 0 {
		return nil, ErrNoWindow
	}
	return windows, nil
}

// busy reports whether a worker of the trial had a core in the window, or any task if the
// workers are not known.
func (w *Window) busy() bool {
	return slices.ContainsFunc(w.Slices, func(s Slice) bool {
		return len(w.Mark.Workers) == 0 || slices.Contains(w.Mark.Workers, s.TID)
	})
}

// fill reads the windows' slices.
func fill(in io.Reader, windows []*Window, limit int) error {
	var names recording.Names
	err := frames(in, func(f recording.Frame) {
		switch f := f.(type) {
		case []recording.Task:
			names.Learn(f)
		case *recording.Block:
			for _, w := range windows {
				w.take(f, &names, limit)
			}
		}
	})
	for _, w := range windows {
		w.trim(limit)
	}
	return err
}

// refill moves windows without slices, as in the middle of a program that sleeps, to the
// time at which their trials have slices.
func refill(in io.ReadSeeker, windows []*Window, length int64, limit int) error {
	if len(windows) == 0 {
		return nil
	}
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read recording: %w", err)
	}
	found := make([]spans, len(windows))
	err := frames(in, func(f recording.Frame) {
		if b, ok := f.(*recording.Block); ok {
			for i, w := range windows {
				found[i].take(b, w.Mark)
			}
		}
	})
	if err != nil {
		return err
	}
	for i, w := range windows {
		if middle, ok := found[i].middle(w.Mark); ok {
			w.StartNS = max(w.Mark.StartNS, middle-length/2)
			w.EndNS = min(w.StartNS+length, w.Mark.EndNS)
			w.Slices, w.Lost, w.done = nil, 0, map[sched.CPU]bool{}
		}
	}
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read recording: %w", err)
	}
	return fill(in, windows, limit)
}

// contents is what a recording has besides its events.
type contents struct {
	header  recording.Header
	end     *recording.End // nil if the recording was cut short
	cpus    []sched.CPU    // ascending
	marks   []recording.Mark
	firstNS int64
}

func readContents(in io.Reader) (*contents, error) {
	c := &contents{firstNS: -1}
	r, err := recording.NewReader(in)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	c.header = r.Header()
	c.cpus = slices.Clone(c.header.CPUs)
	slices.Sort(c.cpus)
	return c, each(r, func(f recording.Frame) {
		switch f := f.(type) {
		case recording.Mark:
			c.marks = append(c.marks, f)
		case recording.End:
			c.end = &f
		case *recording.Block:
			if at, ok := slices.BinarySearch(c.cpus, f.CPU); !ok {
				c.cpus = slices.Insert(c.cpus, at, f.CPU)
			}
			if len(f.Events) > 0 && (c.firstNS < 0 || f.Events[0].TimeNS < c.firstNS) {
				c.firstNS = f.Events[0].TimeNS
			}
		}
	})
}

// frames calls use with every frame of a recording.
func frames(in io.Reader, use func(recording.Frame)) error {
	r, err := recording.NewReader(in)
	if err != nil {
		return err
	}
	defer r.Close()
	return each(r, use)
}

func each(r *recording.Reader, use func(recording.Frame)) error {
	for {
		f, err := r.Next()
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, recording.ErrCut):
			return nil
		case err != nil:
			return err
		}
		use(f)
	}
}

// choose returns the windows to fill.
func (c *contents) choose(opts Options) []Window {
	window := func(m recording.Mark, start, end int64) Window {
		return Window{
			Mark: m, OriginNS: c.header.MonotonicNS, StartNS: start, EndNS: end,
			CPUs: c.cpus, done: map[sched.CPU]bool{},
		}
	}
	length := opts.Length.Nanoseconds()
	at := func(start int64) Window {
		i := slices.IndexFunc(c.marks, func(m recording.Mark) bool { return m.StartNS <= start && start < m.EndNS })
		if i < 0 {
			return window(recording.Mark{}, start, start+length)
		}
		return window(c.marks[i], start, start+length)
	}
	if opts.Chosen {
		return []Window{at(c.header.MonotonicNS + opts.Start.Nanoseconds())}
	}
	type kind struct{ workload, variant, mode string }
	seen := map[kind]bool{}
	var out []Window
	if w := c.header.Window; w != nil { // what a flight recorder saved: up to just after the case
		out = append(out, at(max(w.FromNS, w.Trigger.AtNS-length/4*3)))
		seen[kind{out[0].Mark.Workload, out[0].Mark.Variant, out[0].Mark.Mode}] = true
	}
	for _, m := range c.marks {
		k := kind{m.Workload, m.Variant, m.Mode}
		if seen[k] || m.EndNS <= m.StartNS {
			continue
		}
		seen[k] = true
		start := m.StartNS + (m.EndNS-m.StartNS)/2 // the start of a trial is not typical
		out = append(out, window(m, start, min(start+length, m.EndNS)))
	}
	if len(out) == 0 && c.firstNS >= 0 {
		out = append(out, window(recording.Mark{}, c.firstNS, c.firstNS+length))
	}
	return out
}

// take adds the block's slices that overlap the window.
func (w *Window) take(b *recording.Block, names *recording.Names, limit int) {
	n := len(b.Events)
	if n == 0 && !w.done[b.CPU] {
		w.Lost += b.Lost // after the core's last event
	}
	if n == 0 || w.done[b.CPU] || b.Events[n-1].TimeNS < w.StartNS {
		return
	}
	if b.Lost > 0 && b.Events[0].TimeNS >= w.StartNS {
		w.Lost += b.Lost
	}
	for i := range b.Events {
		e := &b.Events[i]
		if e.Kind != recording.Switch {
			continue
		}
		start := e.TimeNS - max(e.SliceNS, 0)
		if start >= w.EndNS { // a core's blocks are in order
			w.done[b.CPU] = true
			return
		}
		if e.Prev == 0 || e.SliceNS < 0 || e.TimeNS <= w.StartNS {
			continue
		}
		tgid, comm := names.TaskAt(e.Prev, e.TimeNS)
		w.Slices = append(w.Slices, Slice{b.CPU, e.Prev, start, e.TimeNS, e.EndedBy, e.PickNS, e.SwitchNS, tgid, comm})
		if len(w.Slices) > 2*limit {
			w.trim(limit)
		}
	}
}

// trim keeps the first slices and ends the window where the next one begins.
func (w *Window) trim(limit int) {
	slices.SortStableFunc(w.Slices, func(a, b Slice) int {
		return cmp.Or(cmp.Compare(a.StartNS, b.StartNS), cmp.Compare(a.CPU, b.CPU))
	})
	if len(w.Slices) > limit {
		w.EndNS = max(w.StartNS+1, w.Slices[limit].StartNS)
		w.Slices = w.Slices[:limit]
	}
}

// sumTasks fills in Tasks from the slices.
func (w *Window) sumTasks() {
	at := map[sched.TID]*Task{}
	for _, s := range w.Slices {
		t := at[s.TID]
		if t == nil {
			t = &Task{TID: s.TID, Worker: slices.Index(w.Mark.Workers, s.TID)}
			at[s.TID] = t
		}
		t.TGID, t.Comm = s.tgid, s.comm // those of the last slice remain
		t.Slices++
		t.OnCPUNS += max(0, min(s.EndNS, w.EndNS)-max(s.StartNS, w.StartNS))
		t.LongestNS = max(t.LongestNS, s.EndNS-s.StartNS)
	}
	for _, t := range at {
		w.Tasks = append(w.Tasks, *t)
	}
	slices.SortFunc(w.Tasks, func(a, b Task) int {
		if (a.Worker < 0) != (b.Worker < 0) {
			return cmp.Compare(b.Worker, a.Worker)
		}
		return cmp.Or(cmp.Compare(a.Worker, b.Worker), cmp.Compare(b.OnCPUNS, a.OnCPUNS), cmp.Compare(a.TID, b.TID))
	})
}
