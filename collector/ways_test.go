package collector_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/workloads"
)

// way is a way to bound the phases of a switch.
type way struct {
	name  string
	avoid bpf.HookSet // what makes the collector choose it, where the kernel has it
	pick  string      // how the name of its hook at the start of the pick phase begins
}

// allWays are all of them, the best first. But for the first, the end of the switch phase is
// finish_task_switch, mostly by kprobe, if the kernel has that.
func allWays() []way {
	return []way{
		{"tracepoint", 0, "sched_entry_tp"},
		{"fentry", bpf.PhaseTracepoints, "fentry:rcu_note_context_switch"},
		{"rcu", bpf.PhaseTracepoints | bpf.FentryHooks, "rcu_utilization"},
	}
}

// waysHere returns the ways that this kernel has. The first is by tracepoint, if there are two.
func waysHere(t *testing.T) []way {
	t.Helper()
	var here []way
	for _, w := range allWays() {
		c := open(t, collector.Options{Avoid: w.avoid})
		capture, err := c.Capture()
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(capture.Pick, w.pick) {
			t.Logf("%s: pick by %s, switch by %s", w.name, capture.Pick, capture.Switch)
			here = append(here, w)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	if len(here) < 2 || here[0].pick != "sched_entry_tp" {
		bpftest.Lacks(t, hasTracepoints(t, "sched_entry_tp", "rcu_utilization"),
			"it does not have sched_entry_tp and another way to bound the pick phase: %v", here)
	}
	return here
}

// All ways to bound the phases see the same switches alike when they watch them together: the
// same counts for every task, and the start of the pick phase of the same switches.
func TestAllWaysCountAlike(t *testing.T) {
	ways := waysHere(t)
	all := make(together, len(ways))
	counts := make([]picks, len(ways))
	for i, w := range ways {
		all[i] = &watcher{c: open(t, collector.Options{Avoid: w.avoid})}
	}
	for _, name := range []string{"pipe", "spin", "yield"} {
		p := plan(t, name)
		p.Workers = 4
		for _, w := range all {
			w.trials = nil
		}
		if err := collector.RunTrials(t, p, all); err != nil {
			t.Fatal(err)
		}
		for i, best := range all[0].trials {
			checkExact(t, best)
			counts[0].add(best.interval.Cores)
			for k, w := range all[1:] {
				other := w.trials[i]
				counts[k+1].add(other.interval.Cores)
				other.interval.Lost = withoutMissed(other.interval.Lost)
				checkExact(t, other)
				checkAlike(t, ways[k+1].name, best, other)
			}
		}
	}
	for i, n := range counts {
		t.Logf("by %s %d of %d switches have a pick phase", ways[i].name, n.timed, n.switches)
		if n.timed != n.switches {
			t.Errorf("by %s only %d of %d switches have a pick phase", ways[i].name, n.timed, n.switches)
		}
	}
}

// together lets several collectors watch the same trials. A later one's program on sched_switch
// runs after an earlier one's, so its slices and phases lie within.
type together []*watcher

func (all together) Ready(trial workloads.Trial, workers []workloads.Worker) error {
	for _, w := range all {
		if err := w.Ready(trial, workers); err != nil {
			return err
		}
	}
	return nil
}

func (all together) Stopped(result workloads.Result) error {
	for _, w := range slices.Backward(all) {
		if err := w.Stopped(result); err != nil {
			return err
		}
	}
	return nil
}

func checkAlike(t *testing.T, way string, best, other traced) {
	t.Helper()
	for tid, a := range best.tasks {
		b := other.tasks[tid]
		counts := func(w report.Worker) [4]uint64 {
			return [4]uint64{w.Slices, w.Voluntary, w.Involuntary, w.Migrations}
		}
		if counts(a) != counts(b) {
			t.Errorf("%s: task %d: slices, voluntary, involuntary and migrations are %d by tracepoint, %d by %s",
				best.name(), tid, counts(a), counts(b), way)
		}
		for _, cause := range []report.EndedBy{
			report.EndedByBlocked, report.EndedByExited, report.EndedByYield, report.EndedByWakeup,
		} {
			if a, b := *a.EndedBy.At(cause), *b.EndedBy.At(cause); a != b {
				t.Errorf("%s: task %d: %d slices ended by %s by tracepoint, %d by %s",
					best.name(), tid, a, cause, b, way)
			}
		}
	}
}

// picks counts a way's switches, and those of them whose pick phase is timed.
type picks struct{ switches, timed uint64 }

func (p *picks) add(cores []report.Core) {
	for _, core := range cores {
		for _, class := range core.Classes {
			p.switches, p.timed = p.switches+class.Switches, p.timed+class.Pick.Count
		}
	}
}

// timed holds the medians of several rounds of one way, in ns.
type timed struct {
	pickFloor, switchFloor []float64
	pick, switchPhase      map[workloads.Mode][]float64
	whole                  map[workloads.Mode][]float64 // the trial's length by switches
}

// The other ways' medians, less the hook floor, differ from those by tracepoint by no more than
// their own floor. By them, the start of the pick phase comes a little later, since between
// sched_entry_tp and rcu_note_context_switch the scheduler only switches interrupts off and notes
// a few things, and the end of the switch phase earlier, by what finish_task_switch does. The ways
// take turns, and a median over the rounds is compared. In emulation, where time is counted in
// instructions, this holds however busy the machine is; elsewhere see BenchmarkWays.
func TestAllWaysTimeAlike(t *testing.T) {
	if !bpftest.Emulated() {
		bpftest.Lacks(t, false, "time is not counted in instructions here")
	}
	ways := waysHere(t)
	results := make([]timed, len(ways))
	for i, w := range ways {
		timeSwitches(t, collector.Options{Avoid: w.avoid}, &results[i])
	}
	best := results[0]
	for i, w := range ways[1:] {
		other := results[i+1]
		compareTimes(t, w.name, "pick", best.pick, other.pick, best.pickFloor, other.pickFloor)
		if len(other.switchFloor) > 0 { // the kernel has kprobes
			compareTimes(t, w.name, "switch phase", best.switchPhase, other.switchPhase,
				best.switchFloor, other.switchFloor)
			if a, b := median(best.switchFloor), median(other.switchFloor); b <= a {
				t.Errorf("the kprobe's floor of %.0f ns is not above the tracepoint's, %.0f ns", b, a)
			}
		}
	}
}

// compareTimes compares a phase by tracepoint with that by another way, less the floors.
func compareTimes(t *testing.T, way, phase string, best, other map[workloads.Mode][]float64,
	floorBest, floorOther []float64,
) {
	t.Helper()
	floor := median(floorOther)
	for mode := range best {
		a, b := median(best[mode])-median(floorBest), median(other[mode])-floor
		t.Logf("%s: %s less the floor %.0f ns by tracepoint (%.0f - %.0f), %.0f ns by %s (%.0f - %.0f)",
			mode, phase, a, best[mode], median(floorBest), b, way, other[mode], floor)
		if d := math.Abs(a - b); d > floor {
			t.Errorf("%s: by %s the %s differs by %.0f ns, the floor is %.0f ns", mode, way, phase, d, floor)
		}
	}
}

// timeSwitches adds one round of a pinned ping-pong to a way's figures.
func timeSwitches(t testing.TB, o collector.Options, to *timed) {
	t.Helper()
	c := open(t, o)
	defer c.Close()
	for _, f := range c.Floors() {
		if f.Err != nil {
			t.Fatal(f.Err)
		}
		if f.Pick {
			to.pickFloor = append(to.pickFloor, float64(f.Median))
		}
		if f.Switch {
			to.switchFloor = append(to.switchFloor, float64(f.Median))
		}
	}
	if to.pick == nil {
		to.pick, to.switchPhase = make(map[workloads.Mode][]float64), make(map[workloads.Mode][]float64)
		to.whole = make(map[workloads.Mode][]float64)
	}
	classes := map[workloads.Mode]report.Class{
		workloads.Processes: report.ClassProcess,
		workloads.Threads:   report.ClassThread,
	}
	p := plan(t, "pipe")
	p.Workers, p.CPUs = 2, []workloads.CPU{0}
	for _, tr := range runPlan(t, c, p) {
		mode := tr.result.Trial.Mode
		class := classOf(tr.core(0), classes[mode])
		pick, _ := class.Pick.Quantile(0.5)
		end, _ := class.Switch.Quantile(0.5)
		length := float64(tr.result.End - tr.result.Start)
		to.pick[mode], to.switchPhase[mode] = append(to.pick[mode], pick), append(to.switchPhase[mode], end)
		to.whole[mode] = append(to.whole[mode], length/float64(class.Switches))
	}
}

// BenchmarkWays tells how much longer a switch and the work around it take if one phase is timed,
// by each way to bound it, than without phases.
func BenchmarkWays(b *testing.B) {
	bpftest.Require(b)
	type config struct {
		name string
		o    collector.Options
	}
	configs := []config{{"", collector.Options{NoPick: true, NoSwitch: true}}}
	for _, w := range allWays() {
		configs = append(configs, config{"pick-" + w.name, collector.Options{NoSwitch: true, Avoid: w.avoid}})
	}
	configs = append(configs, config{"switch-tracepoint", collector.Options{NoPick: true}},
		config{"switch-kprobe", collector.Options{NoPick: true, Avoid: bpf.PhaseTracepoints | bpf.FentryHooks}})
	results := make([]timed, len(configs))
	for range 5 {
		for i, c := range configs {
			timeSwitches(b, c.o, &results[i])
		}
	}
	for _, mode := range []workloads.Mode{workloads.Threads, workloads.Processes} {
		for i, c := range configs[1:] {
			added := median(results[i+1].whole[mode]) - median(results[0].whole[mode])
			b.ReportMetric(added, fmt.Sprintf("%s-%s-ns/switch", mode, c.name))
		}
	}
	b.ReportMetric(0, "ns/op")
}

// median returns the middle one of an odd number of values, 0 if there are none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(values))[len(values)/2]
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
