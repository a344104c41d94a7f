package report_test

import (
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/sched"
)

func TestWatchIsNamed(t *testing.T) {
	for want, w := range map[string]report.Watch{
		"":          {},
		"all tasks": {All: true},
		"pid 4711, pid 12, cgroup nginx.service, comm postgres*, uid 33, uid 0": {
			PIDs: []sched.PID{4711, 12}, Cgroups: []string{"nginx.service"}, Comms: []string{"postgres*"},
			UIDs: []uint32{33, 0},
		},
	} {
		if got := w.String(); got != want {
			t.Errorf("it is named %q, want %q", got, want)
		}
	}
}

// Figures of a trial are of all its tasks, those that ended included.
func TestFiguresOfAnInterval(t *testing.T) {
	trial := report.Trial{Mode: report.SystemMode, DurationNS: 100, Operations: 7, System: &report.System{
		Tasks: []report.Task{
			{Activity: report.Activity{OnCPUNS: 60, WaitNS: 10, ThrottledNS: 3, Waits: reporttest.HistogramOf(1, 10)}},
			{Activity: report.Activity{OnCPUNS: 90}},
		},
		Ended: []report.EndedTasks{{Activity: report.Activity{
			OnCPUNS: 50, WaitNS: 40, ThrottledNS: 4, Waits: reporttest.HistogramOf(1, 15, 25),
		}}},
	}}
	ran, known := trial.Parallelism()
	held, also := trial.Concurrency()
	if ran != 2 || held != 2.5 || !known || !also || trial.ThrottledNS() != 7 {
		t.Errorf("parallelism %v, concurrency %v, throttled %d ns", ran, held, trial.ThrottledNS())
	}
	if ns, ok := trial.WaitMaxNS(); ns != 25 || !ok {
		t.Errorf("the longest wait is %d ns, %v", ns, ok)
	}
	if _, ok := trial.JainIndex(); ok {
		t.Error("a system is fair")
	}
	if _, ok := trial.OperationsPerSecond(); ok {
		t.Error("a system has operations")
	}
}
