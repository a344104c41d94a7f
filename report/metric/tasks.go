package metric

import (
	"cmp"
	"slices"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/histogram"
	"github.com/slicetrace/slicetrace/report/sched"
)

// ActivitySum is what a task, or several, did over some intervals. Distributions are added up only
// when they are asked for, since there are many tasks and few are shown.
type ActivitySum struct {
	OnCPUNS, WaitNS, ThrottledNS int64
	EndedBy                      report.CauseCounts
	Migrations                   report.MigrationCounts
	// WaitMaxNS is the longest wait, and WaitMaxRound the interval in which it ended.
	WaitMaxNS    uint64
	WaitMaxRound int
	parts        []*report.Activity
}

// Add adds what was done in one interval.
func (s *ActivitySum) Add(a *report.Activity, round int) {
	s.OnCPUNS += a.OnCPUNS
	s.WaitNS += a.WaitNS
	s.ThrottledNS += a.ThrottledNS
	s.EndedBy.Add(a.EndedBy)
	s.Migrations.Add(a.Migrations)
	if a.Waits.MaxNS > s.WaitMaxNS {
		s.WaitMaxNS, s.WaitMaxRound = a.Waits.MaxNS, round
	}
	s.parts = append(s.parts, a)
}

// Voluntary, Involuntary and Switches count switches as report.Activity does.
func (s *ActivitySum) Voluntary() uint64   { return s.activity().Voluntary() }
func (s *ActivitySum) Involuntary() uint64 { return s.activity().Involuntary() }
func (s *ActivitySum) Switches() uint64    { return s.activity().Switches() }

// Activity returns the sum as if one task had done everything in one interval.
func (s *ActivitySum) Activity() report.Activity {
	return report.Activity{
		OnCPUNS: s.OnCPUNS, WaitNS: s.WaitNS, ThrottledNS: s.ThrottledNS, EndedBy: s.EndedBy,
		Migrations: s.Migrations, Waits: s.Waits(), Slices: s.Slices(),
	}
}

func (s *ActivitySum) activity() *report.Activity { return &report.Activity{EndedBy: s.EndedBy} }

// Waits is the distribution of waits, in steps of half an octave.
func (s *ActivitySum) Waits() histogram.Histogram {
	return s.histogram(func(a *report.Activity) histogram.Histogram { return a.Waits })
}

// Slices is the distribution of slices that ended, in the same steps.
func (s *ActivitySum) Slices() histogram.Histogram {
	return s.histogram(func(a *report.Activity) histogram.Histogram { return a.Slices })
}

func (s *ActivitySum) histogram(of func(*report.Activity) histogram.Histogram) histogram.Histogram {
	if len(s.parts) == 1 {
		return of(s.parts[0])
	}
	var sum histogram.Sum
	for _, a := range s.parts {
		sum.Add(of(a))
	}
	return sum.Histogram()
}

// TaskSum is one task over some intervals.
type TaskSum struct {
	ActivitySum
	// Task is the task as it was in the last of them. Its Activity is that of this interval alone.
	Task *report.Task
}

// ProcessSum is one process over some intervals: those of its tasks that had a row of their own. A
// task that began and ended within an interval is in the sums of its group only.
type ProcessSum struct {
	ActivitySum
	PID sched.PID
	// Name is the name of its first thread or, if that is not known, of the task that was seen first.
	Name   string
	UID    uint32
	Kernel bool
	// Group is the control group of the task that was seen last.
	Group uint64
	// Tasks is how many of its tasks were seen.
	Tasks int
}

// GroupSum is one control group over some intervals. Groups below it are not included.
type GroupSum struct {
	ActivitySum
	// Group has the names and, in Throttling and Pressure, the sums over the intervals.
	report.Group
	// Tasks is how many different tasks were seen in the group, and Ended how many more began and
	// ended within an interval.
	Tasks int
	Ended uint64
}

// EndedSum is all tasks of one name that began and ended within an interval.
type EndedSum struct {
	ActivitySum
	// Comm is "" for those that found no place of their own in the sums.
	Comm  string
	Tasks uint64
}

// Watched is what the tasks of a system did over some intervals.
type Watched struct {
	// Intervals is how many there are, and PassedNS how long they took.
	Intervals int
	PassedNS  int64
	// Total is all tasks together.
	Total ActivitySum
	// Tasks and Processes are in the order in which they were first seen, Groups ascending by ID.
	Tasks     []*TaskSum
	Processes []*ProcessSum
	Groups    []*GroupSum
	// Ended is how many tasks began and ended within an interval, and EndedNames the same by name, in
	// the order in which the names were first seen.
	Ended      uint64
	EndedNames []*EndedSum
}

// taskKey identifies a task until its number is given to another.
type taskKey struct {
	pid sched.PID
	tid sched.TID
}

// gatherer adds up intervals.
type gatherer struct {
	Watched
	tasks     map[taskKey]*TaskSum
	processes map[sched.PID]*ProcessSum
	groups    map[uint64]*GroupSum
	ended     map[string]*EndedSum
	// groupOf is the group in which a task was counted last.
	groupOf map[*TaskSum]uint64
}

// Gather adds up intervals, in the order of time. A number that is given to another task or process
// while a system is watched is told from the first by the new one's birth.
func Gather(trials []*report.Trial) *Watched {
	g := gatherer{
		tasks: map[taskKey]*TaskSum{}, processes: map[sched.PID]*ProcessSum{}, groups: map[uint64]*GroupSum{},
		groupOf: map[*TaskSum]uint64{}, ended: map[string]*EndedSum{},
	}
	for _, t := range trials {
		if t.System != nil {
			g.interval(t)
		}
	}
	for _, sum := range g.groups {
		g.Groups = append(g.Groups, sum)
	}
	slices.SortFunc(g.Groups, func(a, b *GroupSum) int { return cmp.Compare(a.ID, b.ID) })
	return &g.Watched
}

func (g *gatherer) interval(t *report.Trial) {
	g.Intervals++
	g.PassedNS += t.DurationNS
	for i := range t.System.Groups {
		g.group(t.System.Groups[i].ID).describe(&t.System.Groups[i])
	}
	for i := range t.System.Tasks {
		g.task(&t.System.Tasks[i], t.Round)
	}
	for i := range t.System.Ended {
		e := &t.System.Ended[i]
		group := g.group(e.Group)
		group.Add(&e.Activity, t.Round)
		g.Total.Add(&e.Activity, t.Round)
		group.Ended += e.Tasks
		g.Ended += e.Tasks
		name := g.ended[e.Comm]
		if name == nil {
			name = &EndedSum{Comm: e.Comm}
			g.ended[e.Comm] = name
			g.EndedNames = append(g.EndedNames, name)
		}
		name.Add(&e.Activity, t.Round)
		name.Tasks += e.Tasks
	}
}

func (g *gatherer) group(id uint64) *GroupSum {
	sum := g.groups[id]
	if sum == nil {
		sum = &GroupSum{Group: report.Group{ID: id}}
		g.groups[id] = sum
	}
	return sum
}

// describe takes over the names of an interval's group and adds what the kernel tells of it.
func (s *GroupSum) describe(o *report.Group) {
	s.Path, s.Kind, s.Name = o.Path, o.Kind, o.Name
	if q := o.Throttling; q != nil {
		if s.Throttling == nil {
			s.Throttling = new(report.Throttling)
		}
		s.Throttling.Times += q.Times
		s.Throttling.NS += q.NS
	}
	if p := o.Pressure; p != nil {
		if s.Pressure == nil {
			s.Pressure = new(report.Pressure)
		}
		s.Pressure.SomeNS += p.SomeNS
		s.Pressure.FullNS += p.FullNS
	}
}

func (g *gatherer) task(t *report.Task, round int) {
	key := taskKey{t.PID, t.TID}
	sum := g.tasks[key]
	fresh := sum == nil || t.Born
	if fresh {
		sum = &TaskSum{}
		g.tasks[key] = sum
		g.Tasks = append(g.Tasks, sum)
	}
	sum.Task = t
	sum.Add(&t.Activity, round)
	g.Total.Add(&t.Activity, round)
	group := g.group(t.Group)
	group.Add(&t.Activity, round)
	if was, counted := g.groupOf[sum]; !counted || was != t.Group {
		g.groupOf[sum] = t.Group
		group.Tasks++
	}
	process := g.processes[t.PID]
	if process == nil || t.Born && sched.PID(t.TID) == t.PID {
		process = &ProcessSum{PID: t.PID, Name: cmp.Or(t.Process, t.Comm), UID: t.UID, Kernel: t.Kernel}
		g.processes[t.PID] = process
		g.Processes = append(g.Processes, process)
	}
	if t.Process != "" {
		process.Name = t.Process // which changes when the process runs another program
	}
	if process.Group = t.Group; fresh {
		process.Tasks++
	}
	process.Add(&t.Activity, round)
}
