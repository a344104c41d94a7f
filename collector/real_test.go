package collector_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
	"github.com/slicetrace/slicetrace/workloads"
)

func TestMain(m *testing.M) {
	if status, hosted := workloads.HostMain(); hosted {
		os.Exit(status)
	}
	holdCollector()
	executeFromThread()
	becomeKnownLoad()
	os.Exit(bpftest.Run(m))
}

// open attaches a collector for the length of a test.
func open(t testing.TB, o collector.Options) *collector.Collector {
	t.Helper()
	bpftest.Require(t)
	c, err := collector.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// traced is what a trial's workers did, as they and as the tracer saw it.
type traced struct {
	result   workloads.Result
	interval collector.Interval
	tasks    map[workloads.TID]report.Worker
}

// workerTask returns the task by which the tracer knows a worker.
func workerTask(w workloads.Worker, children collector.Children) collector.Task {
	return collector.Task{PID: sched.PID(w.PID), TID: sched.TID(w.TID), Children: children}
}

// commandTask returns the task by which the tracer knows a command, with its children listed.
func commandTask(command *workloads.Running) collector.Task {
	pid := sched.PID(command.PID())
	return collector.Task{PID: pid, TID: pid.Leader(), Children: collector.Listed}
}

// watcher observes trials with a collector.
type watcher struct {
	c      *collector.Collector
	before *collector.Snapshot
	trials []traced
	// during, if set, is called while the workers work.
	during func()
}

func (w *watcher) Ready(_ workloads.Trial, workers []workloads.Worker) error {
	for _, worker := range workers {
		if err := w.c.Watch(workerTask(worker, collector.Counted)); err != nil {
			return err
		}
	}
	var err error
	w.before, err = w.c.Snapshot()
	if w.during != nil {
		time.AfterFunc(50*time.Millisecond, w.during)
	}
	return err
}

func (w *watcher) Stopped(result workloads.Result) error {
	if left, err := w.c.AwaitExits(2 * time.Second); err != nil || left > 0 {
		return fmt.Errorf("%d tasks have not made their last switch: %w", left, err)
	}
	after, err := w.c.Snapshot()
	if err != nil {
		return err
	}
	interval, err := after.Since(w.before)
	if err != nil {
		return err
	}
	tasks := make(map[workloads.TID]report.Worker)
	for _, task := range interval.Tasks {
		tasks[workloads.TID(task.TID)] = task
	}
	w.trials = append(w.trials, traced{result, interval, tasks})
	return nil
}

// plan returns a small plan for the workload of the given name.
func plan(t testing.TB, name string) workloads.Plan {
	t.Helper()
	load, err := workloads.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return workloads.Plan{
		Workloads: []workloads.Workload{load},
		Modes:     []workloads.Mode{workloads.Processes, workloads.Threads},
		Rounds:    1,
		Duration:  bpftest.WorkFor(300 * time.Millisecond),
	}
}

func runPlan(t testing.TB, c *collector.Collector, p workloads.Plan) []traced {
	t.Helper()
	w := &watcher{c: c}
	if err := collector.RunTrials(t, p, w); err != nil {
		t.Fatal(err)
	}
	return w.trials
}

// runVariants runs only those trials of a plan that are of one of the variants.
func runVariants(t testing.TB, c *collector.Collector, p workloads.Plan, variants ...string) []traced {
	t.Helper()
	w := &watcher{c: c}
	for _, trial := range p.Trials() {
		if !slices.Contains(variants, trial.Variant) {
			continue
		}
		if err := workloads.Run(context.Background(), trial, p.User, w); err != nil {
			t.Fatal(err)
		}
	}
	return w.trials
}

// core returns one core's figures.
func (tr *traced) core(cpu sched.CPU) report.Core {
	for _, c := range tr.interval.Cores {
		if c.CPU == cpu {
			return c
		}
	}
	return report.Core{}
}

func (tr *traced) name() string {
	return fmt.Sprintf("%s %s", tr.result.Trial.Workload, tr.result.Trial.Mode)
}

// mostly runs the trials of a plan's plain variants several times, and requires that check
// accepts most of the runs' trials: other processes make some of them unlike what theory says.
func mostly(t testing.TB, c *collector.Collector, p workloads.Plan, check func([]traced) error) {
	t.Helper()
	bpftest.Mostly(t, func() error { return check(runVariants(t, c, p, "")) })
}
