package trial_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slicetrace/slicetrace/cmd/slicetrace/internal/trial"
	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/histogram"
	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/sched"
	"github.com/slicetrace/slicetrace/workloads"
)

// began is when the made-up runs began, by CLOCK_MONOTONIC.
const began = int64(5 * time.Second)

// exact compares histograms by their buckets.
var exact = cmp.AllowUnexported(histogram.Histogram{})

// result is a trial of two workers, one of which dies as its workload intends.
func result() workloads.Result {
	survivor := workloads.WorkerResult{
		Worker: workloads.Worker{
			Index: 0, PID: 70, TID: 71, Comm: "st-left", Nice: -3,
			Before: workloads.Counters{Voluntary: 10, Involuntary: 20, Runtime: 3 * time.Millisecond},
		},
		Operations: 23,
		After:      workloads.Counters{Voluntary: 17, Involuntary: 22, Runtime: 10 * time.Millisecond},
	}
	victim := workloads.WorkerResult{
		Worker: workloads.Worker{
			Index: 1, PID: 80, TID: 80, Comm: "st-right", Before: workloads.Counters{Voluntary: 4},
		},
		Operations: 1000, Died: true,
	}
	return workloads.Result{
		Trial: workloads.Trial{Workload: "crash", Variant: "one core", Mode: workloads.Processes, Round: 3},
		Start: 7 * time.Second, End: 7*time.Second + 200*time.Millisecond,
		Workers: []workloads.WorkerResult{survivor, victim}, ToolSwitches: 11,
	}
}

// interval is what a tracer sees of that trial, in another order than that of the workers, and
// of a task that is none of them.
func interval() collector.Interval {
	return collector.Interval{
		Cores: []report.Core{{CPU: 0, WallNS: 200_000_000}, {CPU: 1, WallNS: 200_000_001}},
		Lost:  report.Lost{HiddenSwitches: 2},
		Tasks: []report.Worker{
			{
				Index: 0, PID: 80, TID: 80, Comm: "dead", Slices: 5, OnCPUNS: 600, Exited: true,
				Kernel: &report.KernelCounters{Voluntary: 1, Involuntary: 4, RuntimeNS: -1},
			},
			{Index: 1, PID: 70, TID: 99, Comm: "runtime"},
			{Index: 2, PID: 70, TID: 71, Comm: "renamed", Slices: 9, Voluntary: 7, Involuntary: 2, WaitNS: 40},
		},
		Created: &report.Created{Tasks: 6},
	}
}

// A worker has the tracer's figures, its own name and operations, and the kernel's counters over
// the trial: if it lives, those that it read itself, otherwise those of its last switch.
func TestTrialJoinsWorkersWithWhatWasSeen(t *testing.T) {
	got, err := trial.Of(result(), interval(), began)
	if err != nil {
		t.Fatal(err)
	}
	started, own := int64(2*time.Second), uint64(11)
	want := report.Trial{
		Workload: "crash", Variant: "one core", Mode: report.Processes, Round: 3,
		DurationNS: 200_000_000, StartedNS: &started, Operations: 1023, ToolSwitches: &own,
		Cores: interval().Cores, Lost: report.Lost{HiddenSwitches: 2}, Created: &report.Created{Tasks: 6},
		Workers: []report.Worker{
			{
				Index: 0, PID: 70, TID: 71, Comm: "st-left", Nice: -3, Operations: 23,
				Slices: 9, Voluntary: 7, Involuntary: 2, WaitNS: 40,
				Kernel: &report.KernelCounters{Voluntary: 7, Involuntary: 2, RuntimeNS: 7_000_000},
			},
			{
				Index: 1, PID: 80, TID: 80, Comm: "st-right", Operations: 1000, Slices: 5, OnCPUNS: 600, Exited: true,
				Kernel: &report.KernelCounters{Voluntary: 1, Involuntary: 4, RuntimeNS: -1},
			},
		},
	}
	if diff := cmp.Diff(want, got, exact); diff != "" {
		t.Error(diff)
	}
}

func TestTrialHasWhatTheWorkloadMeasured(t *testing.T) {
	r := result()
	r.Figures = []workloads.Figure{{Name: "lost_updates", Value: 17}, {Name: "longest_ns", Value: 5}}
	r.Memory = &workloads.Memory{Processes: 2, PSS: 3000, Private: 2000, PageTables: 100}
	got, err := trial.Of(r, interval(), began)
	if err != nil {
		t.Fatal(err)
	}
	figures := []report.Figure{{Name: "lost_updates", Value: 17}, {Name: "longest_ns", Value: 5}}
	memory := &report.Memory{Processes: 2, PSSBytes: 3000, PrivateBytes: 2000, PageTableBytes: 100}
	if diff := cmp.Diff(figures, got.Figures) + cmp.Diff(memory, got.Memory); diff != "" {
		t.Error(diff)
	}
}

// A trial with a worker of which the tracer knows too little has no figures, and the error names
// the worker.
func TestTrialNeedsWhatTheTracerSawOfEachWorker(t *testing.T) {
	for name, c := range map[string]struct {
		hide func(*collector.Interval)
		want string
	}{
		"a worker that was not seen": {
			func(in *collector.Interval) { in.Tasks = in.Tasks[:2] },
			"worker 0 of crash (task 71) was not seen by the tracer",
		},
		"a death that was not seen": {
			func(in *collector.Interval) { in.Tasks[0].Exited = false },
			"worker 1 of crash (task 80) died, and its last switch was not seen",
		},
		"a worker known by another tid of its process": {
			func(in *collector.Interval) { in.Tasks[2].TID = 70 },
			"worker 0 of crash (task 71) was not seen by the tracer",
		},
	} {
		seen := interval()
		c.hide(&seen)
		if _, err := trial.Of(result(), seen, began); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// All tasks of a command are in its trial, with its name and what it used; without the tracer there are none.
func TestTrialOfACommand(t *testing.T) {
	seen := interval()
	seen.Created = nil
	got := trial.OfCommand(trial.Command{
		Label: "make", Round: 4, StartNS: began + 40, EndNS: began + 1040, ToolSwitches: 3,
		Status: 7 << 8, Usage: &syscall.Rusage{Utime: syscall.Timeval{Sec: 1}, Stime: syscall.Timeval{Usec: 2}},
	}, seen, began)
	started, own, cpu, status := int64(40), uint64(3), int64(1e9+2000), 7
	want := report.Trial{
		Workload: "make", Mode: report.Command, Round: 4, DurationNS: 1000, StartedNS: &started,
		ToolSwitches: &own, Cores: seen.Cores, Lost: seen.Lost, Workers: seen.Tasks, CPUNS: &cpu, ExitStatus: &status,
	}
	if diff := cmp.Diff(want, got, exact); diff != "" {
		t.Error(diff)
	}
	killed := 128 + 9
	want = report.Trial{
		Workload: "make", Mode: report.Command, Round: 4, DurationNS: 1000, StartedNS: &started, ExitStatus: &killed,
	}
	untraced := trial.Untraced(trial.Command{
		Label: "make", Round: 4, StartNS: began + 40, EndNS: began + 1040, Status: 9,
	}, began)
	if diff := cmp.Diff(want, untraced, exact); diff != "" {
		t.Error(diff)
	}
}

// The mark of a trial has its time by CLOCK_MONOTONIC and the tids of its workers in order.
func TestMarkOfATrial(t *testing.T) {
	joined, err := trial.Of(result(), interval(), began)
	if err != nil {
		t.Fatal(err)
	}
	want := recording.Mark{
		Workload: "crash", Variant: "one core", Mode: "processes", Round: 3,
		StartNS: int64(7 * time.Second), EndNS: int64(7*time.Second + 200*time.Millisecond),
		Workers: []sched.TID{71, 80},
	}
	if diff := cmp.Diff(want, trial.Mark(&joined, began)); diff != "" {
		t.Error(diff)
	}
	command := trial.OfCommand(trial.Command{Label: "a", Round: 1, StartNS: 100, EndNS: 300}, interval(), 90)
	want = recording.Mark{
		Workload: "a", Mode: "command", Round: 1, StartNS: 100, EndNS: 300, Workers: []sched.TID{80, 99, 71},
	}
	if diff := cmp.Diff(want, trial.Mark(&command, 90)); diff != "" {
		t.Error(diff)
	}
}

// The tracer is told each worker's ids and counters, each in its own field.
func TestTasksOfWorkers(t *testing.T) {
	w := workloads.Worker{PID: 70, TID: 71, Before: workloads.Counters{Voluntary: 10, Involuntary: 20}}
	want := []collector.Task{{PID: 70, TID: 71, Children: collector.Counted, Voluntary: 10, Involuntary: 20}}
	if diff := cmp.Diff(want, trial.Tasks([]workloads.Worker{w})); diff != "" {
		t.Error(diff)
	}
}

// A list of no cores is an error of a plan's, and nil means all cores.
func TestCPUsStayNil(t *testing.T) {
	for _, want := range [][]sched.CPU{nil, {}, {0, 5}} {
		if diff := cmp.Diff(want, trial.CPUs(trial.WorkloadCPUs(want))); diff != "" {
			t.Error(diff)
		}
	}
}

// What a worker counted itself goes into the trial only: the tracer's rows stay as they were.
func TestJoiningDoesNotChangeTheInterval(t *testing.T) {
	seen := interval()
	if _, err := trial.Of(result(), seen, began); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(interval(), seen, exact); diff != "" {
		t.Error(diff)
	}
}
