package collector_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/workloads"
)

// Work whose slices can end in one way only is seen to end so, on any kernel and
// however slow the machine is: no share of anything is held to theory.
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
		by, all := causesOf(pinned(t, c, 0, w.bodies...))
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

// The two ways to time a switch, by the tracepoint sched_exit_tp and by a kprobe
// on finish_task_switch, count the same switches alike when both watch them.
func TestBothWaysCountAlike(t *testing.T) {
	newer := open(t, collector.Options{})
	older := open(t, collector.Options{NoPick: true, NoExit: true})
	for c, want := range map[*collector.Collector]string{newer: "sched_exit_tp", older: "kprobe:"} {
		capture, err := c.Capture()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(capture.Switch, want) {
			t.Skipf("the switch phase ends by %q, not by %s: there are not two ways here", capture.Switch, want)
		}
	}
	for _, name := range []string{"pipe", "spin", "yield"} {
		p := plan(t, name)
		p.Workers = 4
		pair := &both{newer: watcher{c: newer}, older: watcher{c: older}}
		if err := p.Run(t.Context(), pair, nil); err != nil {
			t.Fatal(err)
		}
		for i, tr := range pair.newer.trials {
			older := pair.older.trials[i]
			older.interval.Lost = withoutMissed(older.interval.Lost)
			checkExact(t, tr)
			checkExact(t, older)
			checkAlike(t, tr, older)
		}
	}
}

// both lets two collectors watch the same trials. The older way's programs run
// after the newer's, so its slices and phases lie within.
type both struct{ newer, older watcher }

func (b *both) Ready(trial workloads.Trial, workers []workloads.Worker) error {
	if err := b.newer.Ready(trial, workers); err != nil {
		return err
	}
	return b.older.Ready(trial, workers)
}

func (b *both) Stopped(result workloads.Result) error {
	if err := b.older.Stopped(result); err != nil {
		return err
	}
	return b.newer.Stopped(result)
}

func checkAlike(t *testing.T, newer, older traced) {
	t.Helper()
	for tid, a := range newer.tasks {
		b := older.tasks[tid]
		counts := func(w report.Worker) [4]uint64 {
			return [4]uint64{w.Slices, w.Voluntary, w.Involuntary, w.Migrations}
		}
		if counts(a) != counts(b) {
			t.Errorf("%s: task %d: slices, voluntary, involuntary and migrations are %d by tracepoint, %d by kprobe",
				newer.name(), tid, counts(a), counts(b))
		}
		for _, cause := range []report.EndedBy{
			report.EndedByBlocked, report.EndedByExited, report.EndedByYield, report.EndedByWakeup,
		} {
			if a, b := *a.EndedBy.At(cause), *b.EndedBy.At(cause); a != b {
				t.Errorf("%s: task %d: %d slices ended by %s by tracepoint, %d by kprobe",
					newer.name(), tid, a, cause, b)
			}
		}
	}
	for _, class := range []report.Class{report.ClassThread, report.ClassProcess} {
		t.Logf("%s: switch phase %s, p50: %s by tracepoint, %s by kprobe",
			newer.name(), class, switchMedians(newer, class), switchMedians(older, class))
	}
}

// switchMedians are of each core.
func switchMedians(tr traced, class report.Class) string {
	text := ""
	for _, core := range tr.interval.Cores {
		p50, _ := classOf(core, class).Switch.Quantile(0.5)
		text += fmt.Sprintf("%.0f ", p50)
	}
	return text + "ns"
}

// The two ways' medians lie no further apart than the kprobe's own floor: a kprobe
// sees the switch phase's end at the entry of finish_task_switch, and takes long to
// get there; the tracepoint sees it after that function's return. In emulation, where
// time is counted in instructions, that holds however busy the machine is.
func TestBothWaysTimeAlike(t *testing.T) {
	p := plan(t, "pipe")
	p.Workers, p.CPUs = 2, []int{0}
	var off time.Duration
	var floors [2]time.Duration
	for began := time.Now(); time.Since(began) < time.Minute; {
		var medians [2][]float64
		for i, o := range []collector.Options{{}, {NoPick: true, NoExit: true}} {
			c := open(t, o)
			capture, err := c.Capture()
			if err != nil {
				t.Fatal(err)
			}
			if wantKprobe := i == 1; wantKprobe != strings.HasPrefix(capture.Switch, "kprobe:") {
				t.Skipf("the switch phase ends by %q: there are not two ways here", capture.Switch)
			}
			if floors[i], err = c.Floor(); err != nil {
				t.Fatal(err)
			}
			for _, tr := range runPlan(t, c, p) {
				class := map[workloads.Mode]report.Class{workloads.Processes: report.ClassProcess, workloads.Threads: report.ClassThread}[tr.result.Trial.Mode]
				p50, _ := classOf(tr.core(0), class).Switch.Quantile(0.5)
				medians[i] = append(medians[i], p50)
			}
			t.Logf("%s: switch phase p50 %.0f ns, hook floor %v", capture.Switch, medians[i], floors[i])
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
		}
		off = 0
		for mode, p50 := range medians[0] {
			off = max(off, time.Duration(p50-medians[1][mode]).Abs())
		}
		if off <= floors[1] && floors[1] > floors[0] {
			return
		}
	}
	t.Errorf("the switch phase differs by %v between the two ways, the floors by tracepoint and kprobe are %v",
		off, floors)
}
