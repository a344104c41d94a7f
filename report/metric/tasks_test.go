package metric_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/sched"
)

// plain is what can be added up without distributions.
type plain struct {
	OnCPUNS, WaitNS, ThrottledNS int64
	Switches, Involuntary        uint64
	Migrations                   report.MigrationCounts
	Waits, Slices                uint64
}

func (p *plain) add(s *metric.ActivitySum) {
	p.OnCPUNS, p.WaitNS, p.ThrottledNS = p.OnCPUNS+s.OnCPUNS, p.WaitNS+s.WaitNS, p.ThrottledNS+s.ThrottledNS
	p.Switches, p.Involuntary = p.Switches+s.Switches(), p.Involuntary+s.Involuntary()
	p.Migrations.Add(s.Migrations)
	p.Waits, p.Slices = p.Waits+s.Waits().Count, p.Slices+s.Slices().Count
}

// Groups have everything, and tasks and processes all that did not end within an interval.
func TestGatheredSumsAgree(t *testing.T) {
	r := reporttest.System(reporttest.SystemSize{Cores: 3, Tasks: 80, Groups: 6, Intervals: 5})
	w := metric.Gather(metric.SystemTrials(r))
	var want, ended, total, groups, tasks, processes plain
	var endedTasks uint64
	for i := range r.Trials {
		for a := range r.Trials[i].System.Activities() {
			var s metric.ActivitySum
			s.Add(a, 1)
			want.add(&s)
		}
		for _, e := range r.Trials[i].System.Ended {
			var s metric.ActivitySum
			s.Add(&e.Activity, 1)
			ended.add(&s)
			endedTasks += e.Tasks
		}
	}
	total.add(&w.Total)
	inGroups, ofProcesses := 0, 0
	for _, g := range w.Groups {
		groups.add(&g.ActivitySum)
		inGroups += g.Tasks
	}
	for _, s := range w.Tasks {
		tasks.add(&s.ActivitySum)
	}
	for _, p := range w.Processes {
		processes.add(&p.ActivitySum)
		ofProcesses += p.Tasks
	}
	if diff := cmp.Diff(want, total); diff != "" {
		t.Errorf("in all (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, groups); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(tasks, processes); diff != "" {
		t.Errorf("processes (-tasks +processes):\n%s", diff)
	}
	if tasks.OnCPUNS+ended.OnCPUNS != want.OnCPUNS || tasks.Waits+ended.Waits != want.Waits {
		t.Errorf("tasks have %d ns and those that ended %d ns, of %d ns", tasks.OnCPUNS, ended.OnCPUNS, want.OnCPUNS)
	}
	var named plain
	var endedNames uint64
	for _, n := range w.EndedNames {
		named.add(&n.ActivitySum)
		endedNames += n.Tasks
	}
	if diff := cmp.Diff(ended, named); diff != "" || endedNames != endedTasks {
		t.Errorf("%d tasks that ended, by name %d (-want +got):\n%s", endedTasks, endedNames, diff)
	}
	if len(w.Tasks) != 80 || inGroups != 80 || ofProcesses != 80 || w.Ended != endedTasks || w.Intervals != 5 {
		t.Errorf("%d tasks, %d in groups, %d of processes; %d ended, want %d", len(w.Tasks), inGroups,
			ofProcesses, w.Ended, endedTasks)
	}
}

func taskOf(pid sched.PID, tid sched.TID, comm string, onCPU int64) report.Task {
	t := report.Task{PID: pid, TID: tid, Comm: comm, Group: 7}
	t.OnCPUNS = onCPU
	return t
}

// A number that another task gets is another task; a new name is not.
func TestNumbersThatAreGivenAgain(t *testing.T) {
	interval := func(round int, tasks ...report.Task) *report.Trial {
		return &report.Trial{Round: round, DurationNS: 1e9, System: &report.System{Tasks: tasks}}
	}
	born := func(t report.Task) report.Task { t.Born = true; return t }
	exited := func(t report.Task) report.Task { t.Exited = true; return t }
	w := metric.Gather([]*report.Trial{
		interval(1, taskOf(10, 10, "sh", 1), taskOf(10, 11, "worker", 2)),
		interval(2, taskOf(10, 10, "make", 4), exited(taskOf(10, 11, "worker", 8)), born(taskOf(10, 11, "other", 16))),
		interval(3, exited(taskOf(10, 10, "make", 32)), born(taskOf(10, 10, "new", 64))),
	})
	var tasks, processes []string
	var times []int64
	for _, s := range w.Tasks {
		tasks, times = append(tasks, s.Task.Comm), append(times, s.OnCPUNS)
	}
	for _, p := range w.Processes {
		processes, times = append(processes, p.Name), append(times, p.OnCPUNS)
	}
	if diff := cmp.Diff([]string{"make", "worker", "other", "new"}, tasks); diff != "" {
		t.Errorf("tasks (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"sh", "new"}, processes); diff != "" {
		t.Errorf("processes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int64{1 + 4 + 32, 2 + 8, 16, 64, 63, 64}, times); diff != "" {
		t.Errorf("times (-want +got):\n%s", diff)
	}
	if g := w.Groups[0]; g.ID != 7 || g.Tasks != 4 || g.OnCPUNS != 127 {
		t.Errorf("the group has %d tasks with %d ns", g.Tasks, g.OnCPUNS)
	}
}

// The interval of the longest wait is told.
func TestLongestWaitHasItsInterval(t *testing.T) {
	var s metric.ActivitySum
	for round, ns := range []uint64{30, 70, 70, 20} {
		s.Add(&report.Activity{Waits: reporttest.HistogramOf(2, ns)}, round+1)
	}
	if s.WaitMaxNS != 70 || s.WaitMaxRound != 2 || s.Waits().Count != 8 {
		t.Errorf("%d ns in interval %d, %d waits", s.WaitMaxNS, s.WaitMaxRound, s.Waits().Count)
	}
}
