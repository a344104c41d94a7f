package collector

import (
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
)

// spinning starts a process that computes on one core only, at a priority.
func spinning(t *testing.T, cpu sched.CPU, nice int) (pid int, end func()) {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", "while :; do :; done")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end = func() { _, _ = cmd.Process.Kill(), cmd.Wait() }
	t.Cleanup(end)
	var on unix.CPUSet
	on.Set(int(cpu))
	if err := unix.SchedSetaffinity(cmd.Process.Pid, &on); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setpriority(unix.PRIO_PROCESS, cmd.Process.Pid, nice); err != nil {
		bpftest.Unavailable(t, "no process can have another priority: "+err.Error())
	}
	return cmd.Process.Pid, end
}

// A task that waits is shown with its wait so far, before it gets the core. When it has got it, the wait is in
// the sums, once.
func TestLiveShowsWaitsUnderWay(t *testing.T) {
	for name, o := range map[string]LiveOptions{"the kernel's times": {}, "times of its own": {OwnTimes: true}} {
		t.Run(name, func(t *testing.T) { checkWaitUnderWay(t, o) })
	}
}

func checkWaitUnderWay(t *testing.T, o LiveOptions) {
	t.Helper()
	cpus := bpftest.AllowedCores[sched.CPU](t)
	cpu := cpus[len(cpus)-1]
	l := openLive(t, o)
	start := time.Now()
	poor, _ := spinning(t, cpu, 19) // with 1/5900 of the other's weight it waits for many seconds
	_, relieve := spinning(t, cpu, -20)
	nextReading(t, l)
	sum := int64(0) // of the waits that have ended
	next := func() *report.Task {
		time.Sleep(50 * time.Millisecond)
		r := nextReading(t, l)
		checkReading(t, r)
		row := rowOf(r, poor)
		if row != nil {
			sum += row.WaitNS
		}
		return row
	}
	first := int64(0)
	for range 200 { // the first waits are short, until the scheduler has let it run once beside the other
		if row := next(); row != nil && row.WaitingNS > time.Second.Nanoseconds() {
			first = row.WaitingNS
			break
		}
	}
	if first == 0 {
		t.Fatal("no wait is shown of a task that another keeps from its core")
	}
	ended, waited := sum, first
	for i := range 200 {
		if i == 4 {
			relieve()
		}
		row := next()
		switch {
		case row == nil:
			t.Fatal("a task that waits has no row")
		case row.WaitNS > 0: // it has got the core
			if int64(row.Waits.MaxNS) < waited || sum-ended < waited || sum > time.Since(start).Nanoseconds() {
				t.Errorf("after a wait of %d ns: %+v, and %d ns of waits in %v", waited, row, sum, time.Since(start))
			}
			return
		case row.WaitingNS < waited+(40*time.Millisecond).Nanoseconds() || row.OnCPUNS != 0 ||
			row.WaitingNS > time.Since(start).Nanoseconds():
			t.Fatalf("after a wait of %d ns: %+v in %v", waited, row, time.Since(start))
		}
		waited = row.WaitingNS
	}
	t.Error("the wait never ended")
}
