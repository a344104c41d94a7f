package collector_test

import (
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/workloads"
)

// Work whose slices can end in only one way is seen to end so, on any kernel and however slow
// the machine is. No share is compared with theory.
func TestEveryCauseIsSeen(t *testing.T) {
	c := open(t, collector.Options{})
	nap := unix.NsecToTimespec(int64(10 * time.Millisecond))
	var done atomic.Bool
	spin := func() {
		for start := time.Now(); time.Since(start) < 200*time.Millisecond; {
		}
	}
	for _, w := range []struct {
		cause  report.EndedBy
		least  uint64
		bodies []func()
	}{
		{report.EndedByBlocked, 23, []func(){func() {
			for range 23 {
				_ = unix.Nanosleep(&nap, nil)
			}
		}}},
		{report.EndedByTick, 5, []func(){spin, spin, spin}},
		{report.EndedByWakeup, 5, []func(){
			func() {
				for !done.Load() {
				}
			},
			func() {
				defer done.Store(true)
				for range 23 {
					_ = unix.Nanosleep(&nap, nil)
				}
			},
		}},
		{report.EndedByYield, 23, yielding()},
	} {
		began := time.Now()
		rows, _ := pinned(t, c, 0, w.bodies...)
		by, all := causesOf(rows)
		if n := *by.At(w.cause); n < w.least {
			t.Errorf("%d of %d slices ended by %s, want at least %d: %+v", n, all, w.cause, w.least, by)
		}
		t.Logf("%s: %+v in %v", w.cause, by, time.Since(began).Round(time.Millisecond))
	}
	for _, tr := range runPlan(t, c, operations(plan(t, "spawn"), 23)) {
		if tr.interval.Created == nil || tr.interval.Created.End.Count == 0 {
			t.Errorf("%s: no task was seen to exit", tr.name())
		}
	}
}

// yielding returns two bodies that yield until both have done so often: one that
// has the core to itself yields to nobody.
func yielding() []func() {
	var yields [2]atomic.Int64
	bodies := make([]func(), len(yields))
	for i := range bodies {
		bodies[i] = func() {
			for yields[0].Load() < 1009 || yields[1].Load() < 1009 {
				yields[i].Add(1)
				unix.RawSyscallNoError(unix.SYS_SCHED_YIELD, 0, 0, 0)
			}
		}
	}
	return bodies
}

func operations(p workloads.Plan, n int64) workloads.Plan {
	p.Operations = n
	return p
}
