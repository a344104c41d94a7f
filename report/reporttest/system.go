package reporttest

import (
	"math/rand/v2"
	"time"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/histogram"
	"github.com/slicetrace/slicetrace/report/sched"
)

// SystemSize is how large a watched system is, and for how many intervals of a second it is watched.
type SystemSize struct {
	Cores, Tasks, Groups, Intervals int
}

// System returns a report of a busy server, each interval a trial. All its tasks do something in
// every interval. On each core idle + workers + others + self = wall, and what all cores have of
// workers' times, slices and waits is what all tasks have, those that ended included. With 4 cores
// or more, the last one has a single task that spins and is never switched out. The phases of
// switches are timed for a tenth of every second interval, from the first on.
func System(size SystemSize) *report.Report {
	b := builder{random: rand.New(rand.NewPCG(5, 6)), cores: size.Cores}
	r := b.report()
	r.Setup = report.Setup{
		Modes: []report.Mode{report.SystemMode}, Rounds: size.Intervals, CPUs: b.cpus(),
		Watch: &report.Watch{All: true, EveryNS: second, ForNS: int64(size.Intervals) * second},
	}
	s := newServer(size)
	for i := range size.Intervals {
		r.Trials = append(r.Trials, s.interval(i))
	}
	now := int64(0)
	for i := range r.Trials {
		started := now
		r.Trials[i].StartedNS = &started
		now += r.Trials[i].DurationNS
	}
	r.Quality.ProbeFloorNS = new(int64)
	*r.Quality.ProbeFloorNS = 48
	r.ComputeQuality()
	return r
}

// server is the system that System watches.
type server struct {
	size   SystemSize
	random *rand.Rand
	groups []report.Group
	tasks  []serverTask
	// onCore holds the tasks of each core, those of ended included: each stays on one core.
	onCore [][]*serverTask
	ended  []serverTask
}

// serverTask is a task of a server, or several that live for less than an interval.
type serverTask struct {
	kind     *serverKind
	pid, tid int
	group    uint64
	weight   float64 // of its on-CPU time among the tasks of its core
	number   uint64  // of tasks, 0 for one that lives on
	did      report.Activity
}

func newServer(size SystemSize) *server {
	s := &server{size: size, random: rand.New(rand.NewPCG(7, 8)), groups: serverGroups(size.Groups)}
	s.onCore = make([][]*serverTask, size.Cores)
	s.tasks = make([]serverTask, 0, size.Tasks)
	kinds := serverKinds()
	spins := 0
	if size.Cores >= 4 && size.Tasks > 0 {
		s.tasks = append(s.tasks, s.task(serverSpinner(), 900, 900, 1))
		spins = 1
	}
	for process := 0; len(s.tasks) < size.Tasks; process++ {
		kind := &kinds[process%len(kinds)]
		pid := 1000 + 3*len(s.tasks)
		for thread := range min(kind.threads, size.Tasks-len(s.tasks)) {
			s.tasks = append(s.tasks, s.task(kind, pid, pid+thread, process))
		}
	}
	for i := range min(5, 2*size.Tasks) {
		t := s.task(&kinds[i%2], 0, 0, i)
		t.kind, t.number = serverShortLived(i), uint64(1+size.Cores*(3+i))
		s.ended = append(s.ended, t)
	}
	place := func(i int, t *serverTask) {
		core := i % max(1, size.Cores-spins)
		if t.kind.spins() {
			core = size.Cores - 1
		}
		s.onCore[core] = append(s.onCore[core], t)
	}
	for i := range s.tasks {
		place(i, &s.tasks[i])
	}
	for i := range s.ended {
		place(i, &s.ended[i])
	}
	return s
}

func (s *server) task(kind *serverKind, pid, tid, process int) serverTask {
	group := s.groups[0].ID
	if n := len(s.groups) - 1; n > 0 && !kind.kernel {
		group = s.groups[1+process%n].ID
	}
	weight := kind.weight * (0.2 + s.random.ExpFloat64())
	return serverTask{kind: kind, pid: pid, tid: tid, group: group, weight: weight}
}

// interval returns what happened in one interval.
func (s *server) interval(i int) report.Trial {
	t := report.Trial{
		Mode: report.SystemMode, Round: i + 1, DurationNS: second + int64(s.random.IntN(1e6)),
		Workers: []report.Worker{},
	}
	system := &report.System{
		Watched:         uint64(s.size.Tasks + s.size.Tasks/2 + 7),
		ProgramNS:       t.DurationNS * int64(s.size.Cores) * 3 / 1000,
		Compared:        uint64(s.size.Tasks / 4),
		Reconciled:      uint64(s.size.Tasks / 4),
		ProgramSampleNS: int64(100 * time.Millisecond),
	}
	if i%2 == 0 {
		system.PhaseNS = int64(100 * time.Millisecond)
	}
	for cpu := range s.size.Cores {
		core, queue := s.core(sched.CPU(cpu), i, t.DurationNS, system.PhaseNS)
		t.Cores = append(t.Cores, core)
		system.Queues = append(system.Queues, queue)
	}
	for j := range s.tasks {
		system.Tasks = append(system.Tasks, s.tasks[j].row())
	}
	for j := range s.ended {
		e := &s.ended[j]
		system.Ended = append(system.Ended, report.EndedTasks{
			Activity: e.did, Group: e.group, Comm: e.kind.comm, Tasks: e.number,
		})
	}
	system.Arrivals = arrivals(system, s.size.Cores)
	system.Groups = s.groupsNow(t.DurationNS)
	t.System = system
	t.ToolSwitches, t.ToolNS = new(uint64), new(int64)
	*t.ToolSwitches, *t.ToolNS = 12, t.DurationNS*2/1000
	return t
}

// arrivals spreads the migrations of all tasks over the cores.
func arrivals(system *report.System, cores int) (list []report.CoreArrivals) {
	var all report.MigrationCounts
	for a := range system.Activities() {
		all.Add(a.Migrations)
	}
	for cpu := range uint64(cores) {
		part := func(n uint64) uint64 { return n*(cpu+1)/uint64(cores) - n*cpu/uint64(cores) }
		list = append(list, report.CoreArrivals{CPU: sched.CPU(cpu), Migrations: report.MigrationCounts{
			Sibling: part(all.Sibling), Cache: part(all.Cache), Node: part(all.Node), Remote: part(all.Remote),
			Woken: part(all.Woken),
		}})
	}
	return list
}

func (t *serverTask) row() report.Task {
	return report.Task{
		Activity: t.did, PID: sched.PID(t.pid), TID: sched.TID(t.tid), Comm: t.kind.comm, Process: t.kind.process,
		UID: t.kind.uid, Group: t.group, Kernel: t.kind.kernel,
	}
}

// coreTally counts what happened on one core in an interval.
type coreTally struct {
	waits             tally
	slices            map[report.EndedBy]*tally
	classes           map[report.Class]uint64
	onCPUNS           int64
	idleShare, crowds float64 // how much of the time is idle, and how many tasks compete
}

// core lets the tasks of one core run for an interval.
func (s *server) core(cpu sched.CPU, interval int, durationNS, phaseNS int64) (report.Core, report.RunQueue) {
	tasks := s.onCore[cpu]
	// Cores differ by how busy they are, and each has better and worse times.
	busy := 0.35 + 0.6*float64((int(cpu)*37+interval*11)%100)/100
	var total float64
	for _, t := range tasks {
		total += t.weight
		if t.kind.spins() {
			busy = 1
		}
	}
	c := report.Core{CPU: cpu, WallNS: durationNS + int64(s.random.IntN(40_000))}
	c.SelfNS = c.WallNS * int64(20+s.random.IntN(10)) / 10_000
	sums := coreTally{
		slices: map[report.EndedBy]*tally{}, classes: map[report.Class]uint64{},
		idleShare: 1 - busy, crowds: busy * min(4, float64(len(tasks))/2),
	}
	for _, t := range tasks {
		onCPUNS := int64(float64(c.WallNS-c.SelfNS) * busy * t.weight / total)
		s.run(t, onCPUNS, &sums)
	}
	c.WorkersNS = sums.onCPUNS
	c.IdleNS = c.WallNS - c.SelfNS - c.WorkersNS
	ticks, busyTicks := uint64(c.WallNS/4_000_000), uint64(c.WorkersNS/4_000_000)
	c.Ticks, c.BusyTicks = &ticks, &busyTicks
	for _, cause := range report.Causes() {
		if lengths := sums.slices[cause]; lengths != nil {
			c.Slices = append(c.Slices, report.SliceStats{EndedBy: cause, Length: lengths.histogram()})
		}
	}
	c.Wait = sums.waits.histogram()
	c.Classes = s.classes(sums.classes, float64(phaseNS)/float64(c.WallNS))
	return c, report.RunQueue{
		CPU: cpu, ObservedNS: c.WallNS, Max: uint32(min(len(tasks), 1+s.random.IntN(9))),
		TaskNS: c.WorkersNS + int64(float64(c.WorkersNS)*sums.crowds*(0.2+0.2*s.random.Float64())),
	}
}

// run gives a task its time on a core, in slices.
func (s *server) run(t *serverTask, onCPUNS int64, core *coreTally) {
	t.did = report.Activity{OnCPUNS: onCPUNS}
	core.onCPUNS += onCPUNS
	if t.kind.spins() || onCPUNS == 0 {
		return
	}
	n := max(1, uint64(float64(onCPUNS)/t.kind.sliceNS*(0.8+0.4*s.random.Float64())))
	left := n
	for cause, share := range t.kind.endedBy {
		if k := uint64(share * float64(n)); k > 0 {
			*t.did.EndedBy.At(cause) = k
			left -= k
		}
	}
	t.did.EndedBy.Blocked += left
	if e := &t.did.EndedBy; t.number > 0 { // each of them ends its last slice by exiting
		e.Exited = min(t.number, e.Blocked)
		e.Blocked -= e.Exited
	}
	moved := uint64(float64(n) * t.kind.migrates)
	t.did.Migrations = report.MigrationCounts{
		Sibling: moved / 8, Cache: moved - moved/8 - moved/50, Remote: moved / 50, Woken: moved * 3 / 4,
	}
	var slices, waits tally
	meanNS := 0.97 * float64(onCPUNS) / float64(n) // the rest is the slice under way
	for _, cause := range report.Causes() {
		s.spread(*t.did.EndedBy.At(cause), meanNS, 0.4, func(ns, times uint64) {
			slices.add(halfOctave(ns), ns, times)
			lengths := core.slices[cause]
			if lengths == nil {
				lengths = new(tally)
				core.slices[cause] = lengths
			}
			lengths.add(ns, ns, times)
		})
	}
	wait := t.kind.waitNS * (0.3 + core.crowds)
	if t.number == 0 { // a task cannot wait while it runs
		wait = min(wait, 0.3*float64(second-onCPUNS)/float64(n))
	}
	s.spread(n, wait, 1.3, func(ns, times uint64) {
		waits.add(halfOctave(ns), ns, times)
		core.waits.add(ns, ns, times)
	})
	t.did.Slices, t.did.Waits = slices.histogram(), waits.histogram()
	t.did.WaitNS = int64(t.did.Waits.SumNS)
	idle := uint64(float64(t.did.EndedBy.Blocked) * core.idleShare * 0.7)
	core.classes[report.ClassIdleIn] += idle
	core.classes[report.ClassIdleOut] += idle
	switch rest := n - idle; {
	case t.kind.kernel:
		core.classes[report.ClassKernel] += rest
	default:
		core.classes[report.ClassThread] += rest * 4 / 10
		core.classes[report.ClassProcess] += rest - rest*4/10
	}
}

// spread divides n values of a mean into at most 6 different ones, none far above twice the mean
// unless the deviation is above 1.
func (s *server) spread(n uint64, mean, deviation float64, add func(ns, times uint64)) {
	for parts := min(n, 6); parts > 0; parts-- {
		times := n / parts
		if n -= times; parts > 1 && times > 1 && n > 1 {
			n += times / 2 // the first parts are smaller: extreme values are rare
			times -= times / 2
		}
		factor := 1 + deviation*(s.random.Float64()*2-1)/2
		if deviation > 1 {
			factor = min(3, 0.2+deviation*s.random.ExpFloat64())
		}
		add(uint64(max(1, mean*factor)), times)
	}
}

// classes returns the switches of one core, of which a share had their phases timed.
func (s *server) classes(counts map[report.Class]uint64, timed float64) (stats []report.ClassStats) {
	b := builder{random: s.random}
	changeNS := map[report.Class]float64{
		report.ClassThread: 260, report.ClassProcess: 3200, report.ClassKernel: 900,
		report.ClassIdleIn: 700, report.ClassIdleOut: 1500,
	}
	for _, class := range report.Classes() {
		n := counts[class]
		if n == 0 {
			continue
		}
		c := report.ClassStats{Class: class, Switches: n}
		if sample := uint64(float64(n) * timed); sample > 0 {
			samples := min(sample, 12)
			c = b.class(class, samples, sample/samples, 390, changeNS[class])
			c.Switches = n
		}
		stats = append(stats, c)
	}
	return stats
}

// halfOctave returns the middle of the step of half an octave that holds a time.
func halfOctave(ns uint64) uint64 {
	low := uint64(1)
	for low <= ns/2 {
		low *= 2
	}
	if half := low + low/2; ns >= half {
		return half + low/4
	}
	return low + low/4
}

// tally counts times in the buckets of a histogram.
type tally struct {
	counts       [1024]uint64 // more than there are buckets
	sumNS, maxNS uint64
}

// add counts a time so many times in the bucket of another.
func (t *tally) add(bucketNS, ns, times uint64) {
	t.counts[histogram.BucketOf(bucketNS)] += times
	t.sumNS += ns * times
	t.maxNS = max(t.maxNS, ns)
}

func (t *tally) histogram() histogram.Histogram { return histogram.New(t.counts[:], t.sumNS, t.maxNS) }
