package collector

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
	"github.com/slicetrace/slicetrace/workloads"
)

// kernelCounts are the kernel's own figures of a task since its birth.
type kernelCounts struct {
	voluntary, involuntary uint64
	runtime, runDelay      uint64
	runnable               bool
}

// readKernelCounts returns the kernel's figures of a task, and whether it is there.
func readKernelCounts(pid sched.PID, tid sched.TID) (k kernelCounts, ok bool) {
	dir := fmt.Sprintf("/proc/%d/task/%d/", pid, tid)
	stat, err := os.ReadFile(dir + "schedstat")
	if err != nil {
		return k, false
	}
	if _, err := fmt.Sscan(string(stat), &k.runtime, &k.runDelay); err != nil {
		return k, false
	}
	status, err := os.ReadFile(dir + "status")
	if err != nil {
		return k, false
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		switch name {
		case "State":
			k.runnable = strings.HasPrefix(strings.TrimSpace(value), "R")
		case "voluntary_ctxt_switches":
			_, err = fmt.Sscan(value, &k.voluntary)
		case "nonvoluntary_ctxt_switches":
			_, err = fmt.Sscan(value, &k.involuntary)
		}
		if err != nil {
			return k, false
		}
	}
	return k, true
}

// mixedLoad keeps the machine busy with tasks that talk, sleep, compute, and are born and die, for about
// the time given.
func mixedLoad(t *testing.T, total time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), total)
	defer cancel()
	// A build: shells that start short programs, one after the other.
	for range 2 {
		shell := exec.CommandContext(ctx, "sh", "-c", "while :; do /bin/true; (sleep 0.001; :); done")
		if err := shell.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = shell.Wait() }()
	}
	for ctx.Err() == nil {
		for _, name := range []string{"messaging", "spawn", "sleep", "spin"} {
			for _, mode := range []workloads.Mode{workloads.Processes, workloads.Threads} {
				w, err := workloads.Find(name)
				if err != nil {
					t.Fatal(err)
				}
				p := workloads.Plan{Workloads: []workloads.Workload{w}, Modes: []workloads.Mode{mode}, Rounds: 1,
					Duration: total / 8}
				if err := p.Run(ctx, nobody{}, nil); err != nil && ctx.Err() == nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// nobody observes no trial.
type nobody struct{}

func (nobody) Ready(workloads.Trial, []workloads.Worker) error { return nil }
func (nobody) Stopped(workloads.Result) error                  { return nil }

// liveSum is what several readings say of one task.
type liveSum struct {
	report.Activity
	pid    sched.PID
	comm   string
	exited bool
}

// Every task of the machine agrees with the kernel's own counters: those that live with their own, those
// that ended with what the kernel counted up to their last switch.
func TestLiveAgreesWithTheKernelForEveryTask(t *testing.T) { checkEveryTask(t, LiveOptions{}) }

// So does each with times of the programs' own, but for what lies between those and the kernel's. That is
// systematic: the kernel takes a switch that a wakeup forces to be at the time of that wakeup, and so do the
// kernel's times, while the programs' own are of the tracepoints after it. So by its own times a task waits
// longer each time when it preempts another at its wakeup (natively by 2 to 6 µs), and the one that loses
// its core so waits as much less; a task that is woken otherwise waits about 1 µs longer at most. Emulated,
// the programs and the interrupt take far longer: the likely cause of waits that are half as long again.
func TestLiveWithItsOwnTimes(t *testing.T) { checkEveryTask(t, LiveOptions{OwnTimes: true}) }

func checkEveryTask(t *testing.T, o LiveOptions) {
	t.Helper()
	l := openLive(t, o)
	total := bpftest.WorkFor(3 * time.Second)
	if os.Getenv("SLICETRACE_SOAK") != "" {
		total = time.Minute
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		mixedLoad(t, total)
	}()
	// What a task did before the first reading is in no row.
	start := make(map[uint64]bpf.WatchedTask)
	for i := range l.tasks.seen {
		if w := &l.tasks.seen[i].record; w.Born != 0 {
			start[w.Born] = *w
		}
	}
	sums := make(map[uint64]*liveSum) // by tid
	var ended, reconciled uint64
	wall := make(map[sched.CPU][2]int64)
	stolen := int64(0) // from whatever task ran
	read := func() {
		r, err := l.Next()
		if err != nil {
			t.Fatal(err)
		}
		ended, reconciled = ended+r.Ended, reconciled+r.Reconciled
		if r.Lost.MapFull+r.Lost.DroppedTasks+r.Lost.Unwatched != 0 {
			t.Errorf("lost %+v", r.Lost)
		}
		for i := range r.System.Tasks {
			row := &r.System.Tasks[i]
			key := uint64(row.TID)
			s := sums[key]
			if s == nil || s.exited {
				s = &liveSum{}
				sums[key] = s
			}
			s.Add(&row.Activity)
			s.pid, s.comm, s.exited = row.PID, row.Comm, row.Exited
		}
		for _, c := range r.Cores {
			w := wall[c.CPU]
			stolen += c.StealNS + c.InterruptNS
			wall[c.CPU] = [2]int64{w[0] + c.WallNS, w[1] + c.IdleNS + c.WorkersNS + c.OthersNS}
		}
	}
	for running := true; running; {
		select {
		case <-done:
			running = false
		case <-time.After(100 * time.Millisecond):
		}
		read()
	}
	checkLiving(t, l, start, sums, read, &stolen)
	if ended == 0 || reconciled != ended {
		t.Errorf("of %d tasks that ended, the switches of %d equal the kernel's", ended, reconciled)
	}
	for cpu, w := range wall {
		if w[0] != w[1] || w[0] < total.Nanoseconds() {
			t.Errorf("core %d: idle time and tasks are %d ns of %d", cpu, w[1], w[0])
		}
	}
}

// checkLiving compares the tasks that live, and do not run at the moment, with the kernel's counts.
func checkLiving(
	t *testing.T, l *Live, start map[uint64]bpf.WatchedTask, sums map[uint64]*liveSum, read func(),
	stolen *int64,
) {
	t.Helper()
	before := make(map[uint64]kernelCounts)
	for tid, s := range sums {
		if k, ok := readKernelCounts(s.pid, sched.TID(tid)); ok && !s.exited {
			before[tid] = k
		}
	}
	read()
	compared := 0
	for slot := range l.tasks.records {
		w := &l.tasks.records[slot]
		if w.Key <= keyEnded {
			continue
		}
		tid := uint64(w.Tid)
		s := sums[tid]
		was, known := before[tid]
		if s == nil || !known {
			continue
		}
		k, ok := readKernelCounts(s.pid, sched.TID(tid))
		if !ok || k != was || k.runnable {
			continue // it runs, or waits, which the kernel counts in parts
		}
		if w.Hidden > 0 {
			t.Logf("%s (%d) lost or got its core %d times unseen", s.comm, tid, w.Hidden)
			continue
		}
		compared++
		f, then := &l.tasks.facts[slot], start[w.Born]
		rows := s.Activity
		for i, cause := range report.Causes() {
			*rows.EndedBy.At(cause) += then.Slices[i]
		}
		rows.WaitNS += int64(then.Wait)
		rows.ThrottledNS += int64(then.Throttled)
		rows.OnCPUNS += int64(then.OnCpu)
		if rows.Voluntary() != k.voluntary-f.Nvcsw || rows.Involuntary() != k.involuntary-f.Nivcsw {
			t.Errorf("%s (%d): %d voluntary and %d involuntary switches, the kernel counts %d and %d", s.comm, tid,
				rows.Voluntary(), rows.Involuntary(), k.voluntary-f.Nvcsw, k.involuntary-f.Nivcsw)
		}
		waited := rows.WaitNS + rows.ThrottledNS
		off := waited - int64(k.runDelay-f.RunDelay)
		if !l.objs.KernelTimes { // a wait under way when watching began is in the kernel's only
			off = max(0, off-waited/20-1e5*int64(rows.Switches())-1e6)
			if rows.Involuntary() > 0 {
				off = 0 // the kernel counts no wait of a task that lost its core on its way to block
			}
			if bpftest.Emulated() {
				off = 0 // the programs take as long as short waits
			}
		}
		if off != 0 {
			t.Errorf("%s (%d): waited for %d ns, the kernel says %d", s.comm, tid, waited, k.runDelay-f.RunDelay)
		}
		// The kernel's count lags behind by up to a tick for a task that had a core when watching began.
		runtime, slack := float64(k.runtime-f.Runtime), 2e5+float64(*stolen)
		if then.Born != 0 {
			slack += 1e7
		}
		if !l.objs.KernelTimes {
			if bpftest.Emulated() {
				continue // the programs take as long as short slices
			}
			// Each end of a slice is stamped after the scheduler's choice of the next task, not before it.
			slack += 1e6 + 2e4*float64(rows.Switches())
		}
		if off := float64(rows.OnCPUNS) - runtime; max(off, -off) > 0.005*runtime+slack {
			t.Errorf("%s (%d): %d ns on cores, the kernel says %.0f", s.comm, tid, rows.OnCPUNS, runtime)
		}
	}
	if compared < 10 && !bpftest.Emulated() || compared < 5 {
		t.Errorf("only %d tasks could be compared", compared)
	}
	t.Logf("%d tasks compared", compared)
}
