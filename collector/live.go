package collector

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/cilium/ebpf"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/collector/hostinfo"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
)

// DefaultLiveTasks is how many tasks a Live watches at once, unless LiveOptions.Tasks is set. Its maps
// take about 1 KiB for each.
const DefaultLiveTasks = 16 << 10

// LiveOptions configure a Live. The zero value works.
type LiveOptions struct {
	// Tasks is how many tasks can be watched at once; 0 means DefaultLiveTasks.
	Tasks int
	// OwnTimes makes the programs read a clock and take stamps of wakeups, as where the kernel keeps no
	// times of its own. It is for tests and comparisons.
	OwnTimes bool
	// Why makes the programs take stacks: see Reading.Why. It is nil if no stacks are wanted.
	Why *WhyOptions
	// Avoid are hooks that must not bound a phase although the kernel has them.
	Avoid bpf.HookSet
	// LeftOut are parts that are not measured, for benchmarks.
	LeftOut bpf.LightPart
}

// Live watches every task of the machine from OpenLive to Close, in the light way: by one program at
// each switch, which reads no clock. Next tells what has happened. Its methods must not be called from
// several goroutines at once.
//
// A task is watched from the moment on at which it first takes a core, and one that has a core when
// watching begins from then on. No other core is interrupted or woken, except once by OpenLive.
type Live struct {
	objs    *bpf.Light
	hotplug *hotplug
	ahead   time.Duration
	attached
	cores     []*core
	awaited   []sched.CPU
	queues    map[sched.CPU]queueState
	steal     map[sched.CPU]stolenTimes
	before    []coreCounts // of cores, at the last reading
	at        uint64       // when that was, on the clock of the programs
	wall      time.Time
	globals   bpf.Globals
	tasks     *liveTasks
	unplaced  map[taskIdentity]bool // the tasks that have no place, as last seen
	groups    *liveGroups
	why       *liveWhy // nil if no stacks are taken
	timesAll  bool     // the phases of all switches are timed
	counted   programTimes
	perSwitch float64       // ns that programs take of a switch, as last measured; 0: not measured yet
	sampled   time.Duration // for how long that was measured
	ownRuns   uint64        // of the program on sched_switch, while it was
}

// Reading is what happened between two calls of Next.
type Reading struct {
	// DurationNS is the time between them, by CLOCK_MONOTONIC.
	DurationNS int64
	// Cores are in ascending order. WorkersNS, Slices and Wait are of all watched tasks.
	Cores []report.Core
	// System has the tasks, each with the number of its own control group. DescribeGroups tells more.
	System report.System
	Lost   report.Lost
	// Why is where tasks were when they were off their cores, nil if no stacks are taken. Its stacks are
	// those of Stacks.
	Why *report.Why
	// Ended counts the tasks that ended, and Reconciled those of them whose switches equal the kernel's
	// own counts.
	Ended, Reconciled uint64
	// Hotplugged and HotplugUnheard are as in Interval.
	Hotplugged     []sched.CPU
	HotplugUnheard bool
}

// OpenLive loads the programs and attaches them to every core. The errors are those of Open.
func OpenLive(o LiveOptions) (*Live, error) {
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
		o.Tasks = DefaultLiveTasks
	}
	kernel, err := bpf.ReadKernel()
	if err != nil {
		return nil, explain(err)
	}
	l := &Live{
		hotplug: listenHotplug(), ahead: ahead, queues: make(map[sched.CPU]queueState), groups: newLiveGroups(),
	}
	for _, cpu := range possible {
		if slices.Contains(online, cpu) {
			l.cores = append(l.cores, &core{cpu: cpu})
		} else {
			l.awaited = append(l.awaited, cpu)
		}
	}
	cores := int(slices.Max(possible)) + 1
	l.objs, err = bpf.LoadLight(kernel, bpf.LightOptions{
		Cores: cores, Online: len(online), Tasks: o.Tasks, OwnTimes: o.OwnTimes, Avoid: o.Avoid,
		CPUGroups: l.groups.version == 1, LeftOut: o.LeftOut, Why: o.Why.asLoaded(),
	})
	if err != nil {
		return nil, errors.Join(explain(err), l.Close())
	}
	if o.Why != nil {
		if l.why, err = newLiveWhy(l.objs.Stacks, o.Why); err != nil {
			return nil, errors.Join(err, l.Close())
		}
	}
	if err := l.start(cores); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	// This may be refused where all else is allowed: then the other users of hooks are unknown.
	l.others, _ = bpf.LoadOthers(kernel)
	return l, nil
}

func (l *Live) start(cores int) error {
	var err error
	if l.tasks, err = newLiveTasks(l.objs); err != nil {
		return err
	}
	if err := l.objs.PlaceCores(corePlaces(cores)); err != nil {
		return err
	}
	for _, h := range l.objs.Hooks {
		if err := l.attach(h); err != nil {
			return err
		}
	}
	for _, c := range l.cores {
		ret, err := l.objs.Begin.Run(&ebpf.RunOptions{Flags: testRunOnCPU, CPU: uint32(c.cpu)})
		if err == nil && ret != 0 {
			err = fmt.Errorf("program returned %d", ret)
		}
		c.late = isOffline(err)
		if err != nil && !c.late {
			return fmt.Errorf("begin to watch core %d: %w", c.cpu, err)
		}
	}
	_, err = l.Next() // from which the first interval counts
	return err
}

// RecordedBy says that a Collector records what happens meanwhile, until both are closed. What its programs take
// is then part of Reading.System's ProgramNS, and it is not one of the tracers that HookUse finds.
func (l *Live) RecordedBy(c *Collector) { l.beside, l.own = &c.attached, nil }

// Next returns what has happened since it was called before, or since OpenLive.
func (l *Live) Next() (*Reading, error) {
	// The programs note both clocks when this thread takes a core, and the kernel must not move it
	// to another between that and now.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	now, err := l.clock()
	if err != nil {
		return nil, err
	}
	wall := time.Now()
	r := &Reading{DurationNS: wall.Sub(l.wall).Nanoseconds()}
	l.wall = wall
	if err := l.readCores(now, r); err != nil {
		return nil, err
	}
	if err := l.findWaits(now); err != nil {
		return nil, err
	}
	if err := l.tasks.read(l.cores, r); err != nil {
		return nil, err
	}
	if err := l.readLost(r); err != nil {
		return nil, err
	}
	if l.why != nil {
		if r.Why, err = l.why.next(l.cores); err != nil {
			return nil, err
		}
		r.Why.Pairs = l.tasks.pairs.next()
		l.tasks.pairs.forget(l.tasks.pairs.replaced)
	}
	l.readOwn(r)
	plug, all := l.hotplug.changed()
	r.Hotplugged, r.HotplugUnheard = plug, !all
	return r, nil
}

// clock returns a function that tells the time on the clock of the programs.
func (l *Live) clock() (func() uint64, error) {
	monotonic := func() uint64 { return uint64(NowNS() - l.ahead.Nanoseconds()) }
	if !l.objs.KernelTimes {
		return monotonic, nil
	}
	pair, err := l.clockAtSwitch(monotonic)
	if err != nil {
		return nil, fmt.Errorf("compare the scheduler's clock: %w", err)
	}
	return func() uint64 { return pair.RqClock + monotonic() - pair.Monotonic }, nil
}

// Capture tells which hooks give the figures.
func (l *Live) Capture() report.Capture {
	capture := report.Capture{Pick: l.objs.Pick.Name, Switch: l.objs.Switch.Name}
	if l.globals.TickFunction != 0 {
		capture.Tick = tickHooks
	}
	if l.objs.KernelTimes {
		capture.Notes = append(capture.Notes, "slices and waits are on the scheduler's own clock: a slice begins with"+
			" the decision to switch to the task, and a wait ends with it")
	} else {
		capture.Notes = append(capture.Notes,
			"this kernel keeps no times of waits (CONFIG_SCHED_INFO, CONFIG_FAIR_GROUP_SCHED):"+
				" slicetrace takes its own")
	}
	if l.groups.missing != nil {
		capture.Notes = append(capture.Notes, "control groups have no names: "+l.groups.missing.Error())
	}
	return capture
}

// RecursionMisses returns how many times since OpenLive the kernel skipped a program because one was
// already running on that core.
func (l *Live) RecursionMisses() (uint64, error) { return l.recursionMisses() }

// MostTasks returns how many tasks can be watched at once.
func (l *Live) MostTasks() int { return int(l.objs.Tasks.MaxEntries()) }

// Stacks are the stacks and functions that the readings up to now refer to.
func (l *Live) Stacks() ([]report.Stack, []report.Frame) { return l.why.stacks() }

// Refresh reads again the users, groups and processes' names of all tasks, which change without an event.
func (l *Live) Refresh() error { return l.objs.Refresh() }

// Close detaches from every core and releases the maps.
func (l *Live) Close() error {
	var errs []error
	errs = append(errs, l.detach())
	if l.others != nil {
		l.others.Close()
	}
	if l.tasks != nil {
		errs = append(errs, l.tasks.close())
	}
	errs = append(errs, l.groups.close(), l.why.close())
	if l.objs != nil {
		l.objs.Close()
		l.objs = nil
	}
	return errors.Join(append(errs, l.hotplug.close())...)
}
