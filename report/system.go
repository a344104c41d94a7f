package report

import (
	"errors"
	"fmt"
	"iter"
	"math"

	"github.com/slicetrace/slicetrace/report/histogram"
	"github.com/slicetrace/slicetrace/report/sched"
)

// System is what all tasks of a running machine, or those that were asked for, did in one interval:
// a trial of mode SystemMode has it instead of workers.
type System struct {
	// Groups are the control groups of Tasks and Ended, and of Trial.Why, ascending by ID.
	Groups []Group `json:"groups"`
	// Tasks are those that were on a core, waited for one or still wait, in the order in which slicetrace first
	// saw them. A task that did neither has no row.
	Tasks []Task `json:"tasks"`
	// Ended are the tasks that were born and ended within the interval, added up by group and name.
	Ended []EndedTasks `json:"ended,omitempty"`
	// Watched is the number of tasks that were watched at the end of the interval.
	Watched uint64 `json:"watched"`
	// Compared counts the tasks of the whole machine that ended within the interval, and Reconciled those
	// of them whose counts of switches equal the kernel's own.
	Compared   uint64 `json:"compared,omitempty"`
	Reconciled uint64 `json:"reconciled,omitempty"`
	// Queues holds the run queue of each core, ascending.
	Queues []RunQueue `json:"queues"`
	// Arrivals holds the migrations to each core, of all tasks with a place, ascending.
	Arrivals []CoreArrivals `json:"arrivals,omitempty"`
	// ProgramNS is what the eBPF programs took of all cores, estimated from the times of
	// ProgramSampleNS in which the kernel measured them; 0 if it was not asked to.
	ProgramNS       int64 `json:"program_ns,omitempty"`
	ProgramSampleNS int64 `json:"program_sample_ns,omitempty"`
	// PhaseNS is the part of the interval in which the phases of switches were timed: the counts of
	// their histograms are smaller than those of switches by that.
	PhaseNS int64 `json:"phase_ns,omitempty"`
}

// Group is a control group, and what the kernel tells of it for one interval.
type Group struct {
	// ID is the kernel's number of the group: the inode number of its directory.
	ID uint64 `json:"id"`
	// Path is the group's directory below the root of its hierarchy, "" if it could not be found.
	Path string `json:"path"`
	// Kind is what the path means: "root", "slice", "unit", "container", "pod", "session" or
	// "group"; Name is its short name, such as "nginx.service".
	Kind string `json:"kind"`
	Name string `json:"name"`
	// Throttling is the effect of the group's own CPU quota, nil if it has none.
	Throttling *Throttling `json:"throttling,omitempty"`
	// Pressure is nil where the kernel does not measure it.
	Pressure *Pressure `json:"pressure,omitempty"`
}

// Pressure is what the kernel calls pressure stall information for CPUs.
type Pressure struct {
	// SomeNS is the time in which at least one task of the group waited for a core, FullNS that in
	// which tasks waited and none ran.
	SomeNS int64 `json:"some_ns"`
	FullNS int64 `json:"full_ns"`
}

// Activity is what a task did, or tasks did together, in one interval.
type Activity struct {
	// OnCPUNS is time on cores, including the slice under way at the end.
	OnCPUNS int64 `json:"on_cpu_ns"`
	// WaitNS is time in which a task was runnable but not running. A wait counts where it ends.
	WaitNS int64 `json:"wait_ns"`
	// ThrottledNS is the time for which CPU quotas kept the task from running; it is in no wait.
	ThrottledNS int64 `json:"throttled_ns,omitempty"`
	// EndedBy counts the slices that ended, by why they did.
	EndedBy CauseCounts `json:"ended_by"`
	// Migrations counts switches-in on another core than the one before.
	Migrations MigrationCounts `json:"migrations"`
	// Waits and Slices are the distributions, in steps of half an octave: each value counts as one in
	// the middle of its step. The sum and the largest value of Waits are exact; those of Slices do
	// not hold the slice under way.
	Waits  histogram.Histogram `json:"waits"`
	Slices histogram.Histogram `json:"slices"`
}

// Voluntary is how many switches the kernel counts in nvcsw for the activity.
func (a *Activity) Voluntary() uint64 { return a.EndedBy.Blocked + a.EndedBy.Exited }

// Involuntary is how many switches the kernel counts in nivcsw for the activity.
func (a *Activity) Involuntary() uint64 {
	e := &a.EndedBy
	return e.Tick + e.Wakeup + e.Yield + e.Other + e.Throttled
}

// Switches is how many slices ended.
func (a *Activity) Switches() uint64 { return a.Voluntary() + a.Involuntary() }

// Add adds what another task did, or the same task in another interval.
func (a *Activity) Add(o *Activity) {
	a.OnCPUNS += o.OnCPUNS
	a.WaitNS += o.WaitNS
	a.ThrottledNS += o.ThrottledNS
	a.EndedBy.Add(o.EndedBy)
	a.Migrations.Add(o.Migrations)
	a.Waits.Merge(o.Waits)
	a.Slices.Merge(o.Slices)
}

// MigrationCounts counts migrations, each once by how far the new core is, and once by reason.
type MigrationCounts struct {
	// Sibling is to the other hardware thread of a core, Cache to another core with the same
	// last-level cache, Node to another cache of the same NUMA node, and Remote to another node.
	Sibling uint64 `json:"sibling,omitempty"`
	Cache   uint64 `json:"cache,omitempty"`
	Node    uint64 `json:"node,omitempty"`
	Remote  uint64 `json:"remote,omitempty"`
	// Woken counts those where a wakeup chose the core; the others were moved by balancing.
	Woken uint64 `json:"woken,omitempty"`
}

// Total is the number of migrations.
func (m MigrationCounts) Total() uint64 { return m.Sibling + m.Cache + m.Node + m.Remote }

// Add adds the counts of o.
func (m *MigrationCounts) Add(o MigrationCounts) {
	m.Sibling += o.Sibling
	m.Cache += o.Cache
	m.Node += o.Node
	m.Remote += o.Remote
	m.Woken += o.Woken
}

// Task is one task over one interval.
type Task struct {
	Activity
	PID sched.PID `json:"pid"`
	TID sched.TID `json:"tid"`
	// Comm is the name that the task gave itself: hostile input, at most 15 bytes, made valid UTF-8.
	Comm string `json:"comm"`
	// Process is the Comm of the process's first thread, "" if it is not known.
	Process string `json:"process,omitempty"`
	// UID is the effective user.
	UID uint32 `json:"uid"`
	// Group is the Group.ID of the control group that the task was in at the end of the interval.
	Group uint64 `json:"group"`
	// Kernel is true for a thread of the kernel.
	Kernel bool `json:"kernel,omitempty"`
	// WaitingNS is how long the task had been waiting for a core at the end of the interval, since its wait
	// began; 0 if it did not wait. It is in no sum or distribution: a wait counts where it ends.
	WaitingNS int64 `json:"waiting_ns,omitempty"`
	// Born is true if the task began within the interval, Exited if it ended in it.
	Born   bool `json:"born,omitempty"`
	Exited bool `json:"exited,omitempty"`
}

// EndedTasks are tasks that were born and ended within one interval.
type EndedTasks struct {
	Activity
	// Group and Comm are what these tasks had in common when they ended. Comm is "" for those that
	// found no place of their own in the sums.
	Group uint64 `json:"group"`
	Comm  string `json:"comm"`
	UID   uint32 `json:"uid"`
	// PID is the process of these threads if it was asked for by its number, otherwise 0.
	PID sched.PID `json:"pid,omitempty"`
	// Tasks is how many they are.
	Tasks uint64 `json:"tasks"`
}

// RunQueue is how many tasks were runnable on a core, the running one included.
type RunQueue struct {
	CPU sched.CPU `json:"cpu"`
	// TaskNS is the length integrated over time: divided by ObservedNS, it is the mean length. The
	// length is read at each switch and tick, and counts as unchanged until the next.
	TaskNS     int64 `json:"task_ns"`
	ObservedNS int64 `json:"observed_ns"`
	// Max is the greatest length seen.
	Max uint32 `json:"max"`
}

// CoreArrivals are the migrations that led to a core.
type CoreArrivals struct {
	CPU        sched.CPU       `json:"cpu"`
	Migrations MigrationCounts `json:"migrations"`
}

// Activities yields what each task did, and what those did that were born and ended. It yields
// nothing if s is nil.
func (s *System) Activities() iter.Seq[*Activity] {
	return func(yield func(*Activity) bool) {
		if s == nil {
			return
		}
		for i := range s.Tasks {
			if !yield(&s.Tasks[i].Activity) {
				return
			}
		}
		for i := range s.Ended {
			if !yield(&s.Ended[i].Activity) {
				return
			}
		}
	}
}

func (s *System) waitMaxNS() (ns int64, ok bool) {
	for a := range s.Activities() {
		ns, ok = max(ns, int64(min(a.Waits.MaxNS, math.MaxInt64))), true
	}
	return ns, ok
}

func (s *System) validate() error {
	if s == nil {
		return nil
	}
	switch {
	case len(s.Tasks) > maxWorkers || len(s.Ended) > maxWorkers || len(s.Groups) > maxWorkers:
		return fmt.Errorf("more than %d tasks, or sums of ended ones, or groups", maxWorkers)
	case len(s.Queues) > maxCores:
		return fmt.Errorf("%d run queues are more than %d", len(s.Queues), maxCores)
	case len(s.Arrivals) > maxCores:
		return fmt.Errorf("arrivals at %d cores are more than %d", len(s.Arrivals), maxCores)
	case s.Reconciled > s.Compared:
		return fmt.Errorf("%d of %d tasks that ended agree with the kernel", s.Reconciled, s.Compared)
	case min(s.ProgramNS, s.ProgramSampleNS, s.PhaseNS) < 0:
		return errors.New("a negative time of the tool's own")
	}
	for _, q := range s.Queues {
		if min(q.TaskNS, q.ObservedNS) < 0 {
			return fmt.Errorf("run queue of core %d: a negative time", q.CPU)
		}
	}
	for i := range s.Groups {
		g := &s.Groups[i]
		if g.Throttling != nil && g.Throttling.NS < 0 ||
			g.Pressure != nil && min(g.Pressure.SomeNS, g.Pressure.FullNS) < 0 {
			return fmt.Errorf("group %d: a negative time", g.ID)
		}
	}
	for i := range s.Tasks {
		if s.Tasks[i].WaitingNS < 0 {
			return fmt.Errorf("task %d: a negative time", s.Tasks[i].TID)
		}
		if err := s.Tasks[i].validate(); err != nil {
			return fmt.Errorf("task %d: %w", s.Tasks[i].TID, err)
		}
	}
	for i := range s.Ended {
		if err := s.Ended[i].validate(); err != nil {
			return fmt.Errorf("ended tasks of group %d: %w", s.Ended[i].Group, err)
		}
	}
	return nil
}

func (a *Activity) validate() error {
	if min(a.OnCPUNS, a.WaitNS, a.ThrottledNS) < 0 {
		return errors.New("a negative time")
	}
	for _, h := range []histogram.Histogram{a.Waits, a.Slices} {
		if err := h.Validate(); err != nil {
			return err
		}
	}
	return nil
}
