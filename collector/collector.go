package collector

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/collector/flight"
	"github.com/slicetrace/slicetrace/collector/hostinfo"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/sched"
)

// DefaultTasks returns how many tasks can be watched at once on the given number of cores,
// unless Options.Tasks is set. The maps take about a quarter of a KiB for each. A browser or
// a Java program has hundreds of tasks, also on one core.
func DefaultTasks(cores int) int { return min(max(1024, 240*cores), 4096) }

// readEvery bounds the time between two readings of the kernel's 32-bit histogram buckets:
// at a million switches a second a bucket wraps after 71 minutes.
const readEvery = 20 * time.Minute

// Options configure a Collector. The zero value works.
type Options struct {
	// Tasks is how many tasks can be watched at once; 0 means DefaultTasks of this machine's
	// online cores.
	Tasks int
	// NoPick and NoSwitch leave a phase of switches untimed, so that watching
	// costs less.
	NoPick, NoSwitch bool
	// Avoid are hooks that must not bound a phase although the kernel has them, as if it were
	// older. It is for tests and comparisons.
	Avoid bpf.HookSet
	// Record, if not nil, is where every switch and wakeup on every core, and tasks' names,
	// are written from Open to FinishRecording.
	Record *Recording
	// Why makes the programs take stacks of the watched tasks: see Interval.Why. It is nil if no stacks are
	// wanted.
	Why *WhyOptions
}

// Recording says where a recording goes.
type Recording struct {
	// Out should be buffered. Writes come from one goroutine at a time.
	Out io.Writer
	// Flight, if not nil, keeps the recording in memory and saves parts of it, in place of Out.
	Flight *flight.Recorder
	// Header names the Tool and the Kernel; Open fills in the rest.
	Header recording.Header
}

// Children says what becomes of a watched task's children, and of theirs.
type Children uint8

// What can become of children.
const (
	// Unwatched children are like any task that is not watched.
	Unwatched = Children(bpf.FollowNone)
	// Listed children are watched, and have a row each: for a program's tasks.
	Listed = Children(bpf.FollowListed)
	// Counted children are watched, and added up when they end: for tasks that come and go
	// by the thousand.
	Counted = Children(bpf.FollowCounted)
)

// Task is a task to watch.
type Task struct {
	PID sched.PID
	TID sched.TID
	// Children says whether the task's children are watched too, and theirs.
	Children Children
	// Voluntary and Involuntary are the kernel's counters when watching begins.
	Voluntary, Involuntary uint64
}

// Collector watches every core from Open to Close. Its methods may be called
// from several goroutines.
type Collector struct {
	objs    *bpf.Objects
	options Options
	attached
	useless []useless // hooks that the kernel seemed to have
	floors  []Floor
	hotplug *hotplug
	cutter  *cutter       // nil unless a flight recorder is given
	ahead   time.Duration // how far this process's clock is ahead of the kernel's
	opened  uint64

	mu      sync.Mutex      // guards the rest
	cores   []*core         // those that have been online since Open, ascending
	awaited []sched.CPU     // the other possible cores
	base    map[taskID]Task // watched by Watch
	taken   uint64          // snapshots so far
	ring    *ring
	why     *liveWhy // nil if no stacks are taken
}

// Open loads the programs and attaches them to every core, also to those that come online
// later. A process that ends without Close leaves nothing attached: the kernel detaches the
// programs when their last file descriptor is closed.
//
// The error is a *PrivilegeError, ErrUserNamespace, ErrPIDNamespace, ErrTimeNamespace,
// bpf.ErrNoBTF, bpf.ErrTooOld, or wraps the kernel's refusal.
func Open(o Options) (*Collector, error) {
	if err := CheckAllowed(); err != nil {
		return nil, err
	}
	if err := checkFiles(); err != nil {
		return nil, err
	}
	ahead, err := clockAhead()
	if err != nil {
		return nil, err
	}
	online, err := hostinfo.OnlineCPUs()
	if err != nil {
		return nil, err
	}
	possible, err := hostinfo.PossibleCPUs()
	if err != nil {
		return nil, err
	}
	if o.Tasks == 0 {
		o.Tasks = DefaultTasks(len(online))
	}
	load := bpf.Options{
		Cores:    int(slices.Max(possible)) + 1,
		Online:   len(online),
		Tasks:    o.Tasks,
		NoPick:   o.NoPick,
		NoSwitch: o.NoSwitch,
		Avoid:    o.Avoid,
		Record:   o.Record != nil,
		Why:      o.Why.asLoaded(),
	}
	kernel, err := bpf.ReadKernel()
	if err != nil {
		return nil, explain(err)
	}
	c := &Collector{options: o, hotplug: listenHotplug(), ahead: ahead, base: make(map[taskID]Task)}
	c.opened = c.now()
	for _, cpu := range possible {
		if slices.Contains(online, cpu) {
			c.cores = append(c.cores, &core{cpu: cpu})
		} else {
			c.awaited = append(c.awaited, cpu)
		}
	}
	if err := c.load(kernel, load); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	if o.Why != nil {
		if c.why, err = newLiveWhy(c.objs.Stacks, o.Why); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	if err := c.start(); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	// This may be refused where all else is allowed: then the other users of hooks are unknown.
	c.others, _ = bpf.LoadOthers(kernel)
	// Measured last: once tracepoints have been released, the kernel takes 10 ms to attach the next one.
	c.floors = measureFloors(kernel, c.objs.Pick, c.objs.Switch)
	if o.Record != nil && o.Record.Flight != nil {
		c.cutter = startCutter(c.cut, o.Record.Flight.Over)
	}
	return c, nil
}

// Watch starts to account for tasks, each from its next switch-in on. They should be
// blocked, so that nothing that they do is missed.
//
// The error names the first task that does not exist, is watched already, or for which there
// is no place among Options.Tasks.
func (c *Collector) Watch(tasks ...Task) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	wanted := make([]bpf.Wanted, len(tasks))
	for i, t := range tasks {
		wanted[i].Tid, wanted[i].Children = uint32(t.TID), uint8(t.Children)
	}
	c.ring.pin(math.MaxUint64) // all tasks that are watched meanwhile
	err := c.objs.Watch(wanted)
	c.ring.pin(c.now())
	if err != nil {
		return err
	}
	if err := c.watchInFlight(tasks); err != nil {
		return err
	}
	for i := range wanted {
		w, tid := &wanted[i], tasks[i].TID
		switch w.State {
		case bpf.Watching:
			c.base[taskID{w.Slot, w.Born}] = tasks[i]
		case bpf.WatchingAlready:
			return fmt.Errorf("watch task %d: it is watched already", tid)
		case bpf.WatchingNoRoom:
			return fmt.Errorf("watch task %d: all %d places for watched tasks are taken: use fewer workers",
				tid, c.MostTasks())
		default:
			return fmt.Errorf("watch task %d: %w", tid, unix.ESRCH)
		}
	}
	return nil
}

// settleLimit bounds the wait for created tasks whose exit the kernel has not reported yet:
// before 6.16 it wakes the thread that joins another shortly before that one begins to exit.
const settleLimit = 20 * time.Millisecond

// AwaitExits waits until every watched task that has begun to exit has made its last switch,
// which can be after its parent knows of its end. It waits at most for the time given, and
// returns how many tasks have still to switch. For counted tasks that stay alive it waits
// only a moment.
func (c *Collector) AwaitExits(most time.Duration) (left int, err error) {
	for start := time.Now(); ; time.Sleep(time.Millisecond) {
		places, err := c.places()
		if err != nil {
			return 0, err
		}
		waited := time.Since(start)
		unsettled := places.Counted > 0 && waited < settleLimit
		if places.Leaving == 0 && !unsettled || waited >= most {
			return int(places.Leaving), nil
		}
	}
}

// Switches returns how many switches each core has made since Open, by core number. Cores
// that have come online since the last snapshot are left out. It does not disturb the cores:
// it is for a display, not for a report.
func (c *Collector) Switches() (map[sched.CPU]uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	counts := make(map[sched.CPU]uint64, len(c.cores))
	var core bpf.CPUState
	for _, known := range c.cores {
		if err := c.objs.CPUs.Lookup(uint32(known.cpu), &core); err != nil {
			return nil, fmt.Errorf("read switches of core %d: %w", known.cpu, err)
		}
		counts[known.cpu] = core.Switches
	}
	return counts, nil
}

// Stacks are the stacks and functions that the intervals up to now refer to.
func (c *Collector) Stacks() ([]report.Stack, []report.Frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.why.stacks()
}

// Capture tells which hooks give the figures. Whether the tick was recognised is known only
// once a tick has come while a core was busy.
func (c *Collector) Capture() (report.Capture, error) {
	globals, err := c.globals()
	if err != nil {
		return report.Capture{}, err
	}
	capture := report.Capture{Pick: c.objs.Pick.Name, Switch: c.objs.Switch.Name}
	if globals.TickFunction != 0 {
		capture.Tick = tickHooks
	} else {
		capture.Notes = append(capture.Notes,
			"ticks are absent: no timer of this kernel was recognised as the scheduler's tick")
	}
	if globals.HrtickFunction != 0 {
		capture.Notes = append(capture.Notes,
			"the scheduler also ends slices between ticks, by its timer HRTICK; they count as ended by tick")
	}
	places, err := c.places()
	if err != nil {
		return report.Capture{}, err
	}
	if places.Lost > 0 {
		capture.Notes = append(capture.Notes, fmt.Sprintf("of %d places for watched tasks the kernel did not"+
			" take back %d, so that fewer could be watched at once", c.MostTasks(), places.Lost))
	}
	absent := func(what string, unasked bool, p phase) {
		lack := "they were not asked for"
		if !unasked {
			lack, _ = c.lack(p)
		}
		capture.Notes = append(capture.Notes, what+" are absent: "+lack)
	}
	if capture.Pick == "" {
		absent("pick and cost", c.options.NoPick, pickPhase)
	}
	if capture.Switch == "" {
		absent("the switch phase and cost", c.options.NoSwitch, switchPhase)
	}
	return capture, nil
}

// tickHooks are the hooks by which ticks are counted, and those that asked for a switch found.
const tickHooks = "hrtimer_expire_entry, hrtimer_expire_exit"

// redundant are the hooks that the kernel can skip without making a figure wrong. What
// sched_process_fork misses sched_wakeup_new finds. Either of the two hooks of a tick is
// enough to count it: one is skipped where a tick interrupts a timer that is served with
// interrupts on. If such a tick asked for a switch, the slice counts as ended by other.
// rcu_utilization can be skipped where a tick interrupts RCU's own work, but not in the scheduler.
var redundant = map[string]bool{
	"sched_process_fork": true, "hrtimer_expire_entry": true, "hrtimer_expire_exit": true, "rcu_utilization": true,
}

// RecursionMisses returns how many times since Open the kernel skipped a program because one
// was already running on that core, where that makes a figure wrong.
func (c *Collector) RecursionMisses() (uint64, error) { return c.recursionMisses() }

// MostTasks returns how many tasks can be watched at once.
func (c *Collector) MostTasks() int { return int(c.objs.Tasks.MaxEntries()) }

func (c *Collector) globals() (bpf.Globals, error) {
	var t bpf.Globals
	if err := c.objs.Globals.Get(&t); err != nil {
		return t, fmt.Errorf("read totals: %w", err)
	}
	return t, nil
}

func (c *Collector) places() (bpf.Places, error) {
	var p bpf.Places
	if err := c.objs.Places.Get(&p); err != nil {
		return p, fmt.Errorf("read the state of the places for watched tasks: %w", err)
	}
	return p, nil
}

// Close detaches from every core and releases the maps. It may be called more
// than once.
func (c *Collector) Close() error {
	var errs []error
	_ = c.cutter.stop() // FinishRecording has returned its error
	errs = append(errs, c.detach())
	if c.ring != nil {
		errs = append(errs, c.ring.close())
		c.ring = nil
	}
	errs = append(errs, c.why.close())
	c.why = nil
	if c.others != nil {
		c.others.Close()
	}
	if c.objs != nil {
		c.objs.Close()
	}
	errs = append(errs, c.hotplug.close())
	return errors.Join(errs...)
}
