package collector_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/workloads"
)

// checkAddsUp compares the sum of a core's times with its wall time, within 0.1 %.
func checkAddsUp(t *testing.T, name string, cores []report.Core) {
	t.Helper()
	for _, c := range cores {
		sum := c.IdleNS + c.WorkersNS + c.OthersNS + c.SelfNS
		if math.Abs(float64(sum-c.WallNS)) > float64(c.WallNS)/1000 {
			t.Errorf("%s: core %d: idle %d + workers %d + others %d + self %d = %d, wall %d",
				name, c.CPU, c.IdleNS, c.WorkersNS, c.OthersNS, c.SelfNS, sum, c.WallNS)
		}
		if c.WallNS <= 0 {
			t.Errorf("%s: core %d: wall time %d", name, c.CPU, c.WallNS)
		}
	}
}

func TestCoreTimeAddsUp(t *testing.T) {
	c := open(t, collector.Options{})
	for _, name := range []string{"pipe", "spin"} {
		for _, tr := range runPlan(t, c, plan(t, name)) {
			checkAddsUp(t, tr.name(), tr.interval.Cores)
		}
	}
}

// Snapshots in the middle of long slices must hold the slices in progress.
func TestCoreTimeAddsUpWhileWorkersRun(t *testing.T) {
	c := open(t, collector.Options{})
	p := plan(t, "spin")
	p.Modes, p.Workers, p.CPUs = p.Modes[:1], 1, []workloads.CPU{0}
	w := &running{c: c, t: t}
	if err := p.Run(context.Background(), w, nil); err != nil {
		t.Fatal(err)
	}
	if w.checked < 5 {
		t.Fatalf("only %d pairs of snapshots", w.checked)
	}
}

// running takes snapshots every few milliseconds while the workers run.
type running struct {
	c       *collector.Collector
	t       *testing.T
	stop    chan struct{}
	stopped chan struct{}
	checked int
}

func (r *running) Ready(_ workloads.Trial, workers []workloads.Worker) error {
	task := workerTask(workers[0], collector.Unwatched)
	if err := r.c.Watch(task); err != nil {
		return err
	}
	r.stop, r.stopped = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(r.stopped)
		last, slack, err := r.snapshot()
		for err == nil {
			select {
			case <-r.stop:
				return
			case <-time.After(7 * time.Millisecond):
			}
			now, took, failed := r.snapshot()
			if err = failed; err != nil {
				break
			}
			var in collector.Interval
			if in, err = now.Since(last); err != nil {
				break
			}
			checkAddsUp(r.t, "spin", in.Cores)
			r.checkWorker(in, slack+took)
			last, slack = now, took
			r.checked++
		}
		if err != nil {
			r.t.Error(err)
		}
	}()
	return nil
}

// snapshot also returns how long it took.
func (r *running) snapshot() (*collector.Snapshot, time.Duration, error) {
	start := time.Now()
	s, err := r.c.Snapshot()
	return s, time.Since(start), err
}

// checkWorker compares the only worker's time with its core's. Its record is read after the
// core's, so the two may differ by the time that the snapshots took.
func (r *running) checkWorker(in collector.Interval, slack time.Duration) {
	var cores, tasks int64
	for _, core := range in.Cores {
		cores += core.WorkersNS
	}
	for _, task := range in.Tasks {
		tasks += task.OnCPUNS
	}
	if math.Abs(float64(cores-tasks)) > float64(slack) {
		r.t.Errorf("workers' time is %d ns by cores and %d ns by tasks, the snapshots took %v", cores, tasks, slack)
	}
}

func (r *running) Stopped(workloads.Result) error {
	close(r.stop)
	<-r.stopped
	return nil
}

// Workers that share a core: their switches are the kernel's, the times add up to their lives, and
// the time on the CPU is the kernel's.
func TestAccountOfWorkersThatShareACore(t *testing.T) {
	c := open(t, collector.Options{})
	p := plan(t, "spin")
	p.Workers, p.CPUs, p.Duration, p.Rounds = 3, []workloads.CPU{0}, time.Second, 2
	if testing.Short() {
		p.Rounds = 1
	}
	trials := runVariants(t, c, p, "", "nice") // equal workers and unequal ones
	t.Run("switches", func(t *testing.T) {
		for _, tr := range trials {
			checkExact(t, tr)
		}
	})
	t.Run("running and waiting fill a trial", func(t *testing.T) {
		for _, tr := range trials {
			checkFilled(t, tr)
		}
	})
	t.Run("time on the CPU", func(t *testing.T) {
		if testing.Short() {
			t.Skip("compares times that the race detector's slowness spoils: runs without -short")
		}
		checkTimeOnCPU(t, trials)
	})
}

// checkFilled checks that workers run or wait for all the time from the start to their end,
// except while they sleep or the tracer runs. A worker that has ended may wait once more, for the
// core on which it blocks at the end gate, but not for longer than the snapshots are apart.
func checkFilled(t *testing.T, tr traced) {
	t.Helper()
	for _, w := range tr.result.Workers {
		task := tr.tasks[w.TID]
		life := float64(w.End - tr.result.Start)
		sum := float64(task.OnCPUNS + task.WaitNS)
		if most := float64(tr.core(0).WallNS); sum < life*0.99 || sum > most*1.001 {
			t.Errorf("%s: worker %d ran %d ns and waited %d ns, together %.4f of its life and %.4f of the interval",
				tr.name(), w.Index, task.OnCPUNS, task.WaitNS, sum/life, sum/most)
		}
	}
}

// checkTimeOnCPU compares with the kernel's own account, which leaves out stolen time, which no
// task had, and the part of a switch that it charges to no task. Stolen time comes in steps of
// 10 ms, so that a single trial's is known to 4 ms (the standard deviation of the difference of
// two readings); over many trials these errors cancel.
func checkTimeOnCPU(t *testing.T, trials []traced) {
	t.Helper()
	var ours, kernels, stolen float64
	for _, tr := range trials {
		for _, w := range tr.result.Workers {
			ours += float64(tr.tasks[w.TID].OnCPUNS)
			kernels += float64(w.After.Runtime - w.Before.Runtime)
		}
		stolen += float64(tr.core(0).StealNS)
	}
	rounding := 3 * 4e6 * math.Sqrt(float64(len(trials)))
	t.Logf("on the CPU %.3f ms, by the kernel %.3f ms (%+.3f %%), stolen %.0f ms",
		ours/1e6, kernels/1e6, 100*(ours/kernels-1), stolen/1e6)
	if ours < kernels*0.995 || ours > (kernels+stolen+rounding)*1.005 {
		t.Errorf("%.0f ns on the CPU, the kernel says %.0f and %.0f stolen", ours, kernels, stolen)
	}
}
