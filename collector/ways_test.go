package collector_test

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
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

// The two ways to time a switch, by the tracepoint sched_exit_tp and by a kprobe
// on finish_task_switch, count the same switches alike when both watch them.
func TestBothWaysCountAlike(t *testing.T) {
	requireBothWays(t)
	newer := open(t, collector.Options{})
	older := open(t, collector.Options{NoPick: true, NoTracepointExit: true})
	for c, want := range map[*collector.Collector]string{newer: "sched_exit_tp", older: "kprobe:"} {
		capture, err := c.Capture()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(capture.Switch, want) {
			t.Fatalf("the switch phase ends by %q, not by %s", capture.Switch, want)
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

// The two ways' medians are no further apart than the kprobe's own floor: a kprobe sees the
// switch phase's end at the entry of finish_task_switch, and takes long to get there; the
// tracepoint sees it after that function's return. The ways take turns, and a median over
// rounds decides, so that a round that other processes disturb does not matter. In emulation,
// where time is counted in instructions, this holds however busy the machine is.
func TestBothWaysTimeAlike(t *testing.T) {
	requireBothWays(t)
	rounds := 7
	if bpftest.Emulated() {
		rounds = 3
	}
	ways := [2]collector.Options{{}, {NoPick: true, NoTracepointExit: true}}
	var floors [2][]float64
	phases := make(map[workloads.Mode]*[2][]float64)
	for range rounds {
		for way, o := range ways {
			floor, medians := timeSwitches(t, o, way == 1)
			floors[way] = append(floors[way], floor)
			for mode, p50 := range medians {
				if phases[mode] == nil {
					phases[mode] = new([2][]float64)
				}
				phases[mode][way] = append(phases[mode][way], p50)
			}
		}
	}
	tracepoint, kprobe := median(floors[0]), median(floors[1])
	t.Logf("hook floors: %.0f ns by tracepoint, %.0f ns by kprobe", tracepoint, kprobe)
	if kprobe <= tracepoint {
		t.Errorf("the kprobe's floor of %.0f ns is not above the tracepoint's, %.0f ns", kprobe, tracepoint)
	}
	for mode, phase := range phases {
		a, b := median(phase[0]), median(phase[1])
		t.Logf("%s: switch phase p50 %.0f ns by tracepoint %.0f, %.0f ns by kprobe %.0f",
			mode, a, phase[0], b, phase[1])
		if math.Abs(a-b) > kprobe {
			t.Errorf("%s: the switch phase differs by %.0f ns between the two ways, the kprobe's floor is %.0f ns",
				mode, math.Abs(a-b), kprobe)
		}
	}
}

// timeSwitches returns the hook floor and the median switch phase of each mode of a pinned
// ping-pong, in ns, for one way of ending the phase.
func timeSwitches(t *testing.T, o collector.Options, wantKprobe bool) (float64, map[workloads.Mode]float64) {
	t.Helper()
	c := open(t, o)
	defer c.Close()
	capture, err := c.Capture()
	if err != nil {
		t.Fatal(err)
	}
	if wantKprobe != strings.HasPrefix(capture.Switch, "kprobe:") {
		t.Fatalf("the switch phase ends by %q", capture.Switch)
	}
	floor, err := c.Floor()
	if err != nil {
		t.Fatal(err)
	}
	classes := map[workloads.Mode]report.Class{
		workloads.Processes: report.ClassProcess,
		workloads.Threads:   report.ClassThread,
	}
	p := plan(t, "pipe")
	p.Workers, p.CPUs = 2, []sched.CPU{0}
	medians := make(map[workloads.Mode]float64)
	for _, tr := range runPlan(t, c, p) {
		mode := tr.result.Trial.Mode
		medians[mode], _ = classOf(tr.core(0), classes[mode]).Switch.Quantile(0.5)
	}
	return float64(floor.Nanoseconds()), medians
}

// median returns the middle one of an odd number of values.
func median(values []float64) float64 { return slices.Sorted(slices.Values(values))[len(values)/2] }

// requireBothWays skips the test unless the kernel has a tracepoint at a switch's end, and
// kprobes.
func requireBothWays(t *testing.T) {
	t.Helper()
	_, err := os.Stat("/sys/bus/event_source/devices/kprobe/type")
	if err != nil || bpf.KprobesSwitchedOff() || !hasTracepoints(t, "sched_exit_tp") {
		bpftest.Lacks(t, false, "a tracepoint at a switch's end and kprobes: some guests of .ci/kernels have both")
	}
}

// hasTracepoints reports whether the kernel has all of the tracepoints.
func hasTracepoints(t *testing.T, names ...string) bool {
	t.Helper()
	kernel, err := bpf.ReadKernel()
	if err != nil {
		t.Fatal(err)
	}
	return !slices.ContainsFunc(names, func(name string) bool { return !kernel.HasTracepoint(name) })
}
