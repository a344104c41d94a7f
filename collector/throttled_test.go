package collector_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cilium/ebpf/btf"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
)

// The time for which a quota keeps a task from running is told apart from waiting: each slice
// that the quota ended is among the throttlings that the kernel counts.
func TestQuotaIsNoWait(t *testing.T) {
	group := bpftest.NewGroup(t, "cpu")
	group.LimitTime(t, 5*time.Millisecond, 50*time.Millisecond)
	c := open(t, collector.Options{})
	pid := group.StartLoop(t)
	time.Sleep(300 * time.Millisecond) // it is the loop by now, and throttled most of the time
	if err := c.Watch(collector.Task{PID: sched.PID(pid), TID: sched.TID(pid)}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(200 * time.Millisecond)
	before, kernel := snapshot(t, c), group.Throttled(t)
	time.Sleep(time.Second)
	after := snapshot(t, c)
	kernel = group.Throttled(t) - kernel
	in, err := after.Since(before)
	if err != nil {
		t.Fatal(err)
	}
	if len(in.Tasks) != 1 {
		t.Fatalf("%d tasks are watched", len(in.Tasks))
	}
	if err := heldByQuota(&in.Tasks[0], kernel, throttlesTasks(t)); err != nil {
		t.Error(err)
	}
}

// throttlesTasks reports whether the kernel throttles tasks one by one, as since 6.18.
func throttlesTasks(t *testing.T) bool {
	t.Helper()
	kernel, err := btf.LoadKernelSpec()
	if err != nil {
		t.Fatal(err)
	}
	var task *btf.Struct
	if err := kernel.TypeByName("task_struct", &task); err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(task.Members, func(m btf.Member) bool { return m.Name == "throttled" })
}

// heldByQuota returns an error unless each throttling ended a slice of a task that wants a core
// all the time, and gets a tenth of one. A throttling can fall between the readings, or where
// another task takes the core: then that has ended the slice, and the group may have time again when
// its task comes back. A group whose task waits for a core can be throttled too, now and then. A kernel
// that throttles the group as a whole counts some while no task of the group runs.
func heldByQuota(task *report.Worker, kernel uint64, byTask bool) error {
	throttled, least := task.EndedBy.Throttled, kernel/2
	if byTask {
		preempted := task.EndedBy.Tick + task.EndedBy.Wakeup + task.EndedBy.Other
		least = max(least, kernel-min(kernel, 2+kernel/5+preempted))
	}
	if kernel < 5 || throttled < least || throttled > kernel+2 {
		return fmt.Errorf("the quota ended %d slices, the kernel counted %d throttlings", throttled, kernel)
	}
	// From a moment in one period to about the beginning of the next; other tasks may use the
	// core first.
	mean := time.Duration(task.ThrottledNS / int64(throttled))
	if mean < 5*time.Millisecond || mean > 60*time.Millisecond {
		return fmt.Errorf("throttled for %v each time: %+v", mean, task)
	}
	return nil
}

func snapshot(t *testing.T, c *collector.Collector) *collector.Snapshot {
	t.Helper()
	s, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return s
}
