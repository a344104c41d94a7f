package collector_test

import (
	"fmt"
	"testing"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
	"github.com/slicetrace/slicetrace/workloads"
)

func classOf(core report.Core, class report.Class) report.ClassStats {
	for _, c := range core.Classes {
		if c.Class == class {
			return c
		}
	}
	return report.ClassStats{}
}

func TestPipeSwitchesAreOfItsModesClass(t *testing.T) {
	c := open(t, collector.Options{})
	p := plan(t, "pipe")
	p.Workers, p.CPUs, p.Rounds, p.Operations = 2, []sched.CPU{0}, 24, 1009
	want := map[workloads.Mode]report.Class{
		workloads.Processes: report.ClassProcess,
		workloads.Threads:   report.ClassThread,
	}
	mostly(t, c, p, func(trials []traced) error {
		median := make(map[workloads.Mode][]float64)
		for _, tr := range trials {
			core, mode := tr.core(0), tr.result.Trial.Mode
			var all uint64
			for _, class := range core.Classes {
				all += class.Switches
			}
			own := classOf(core, want[mode])
			// A task that is not watched comes to the core by one switch and leaves by another.
			if others := 2 * unwatched(core, tr.interval.Tasks); float64(own.Switches+others) < 0.99*float64(all) {
				return fmt.Errorf("%s: %d of %d switches are %s", tr.name(), own.Switches, all, want[mode])
			}
			p50, ok := own.Switch.Quantile(0.5)
			if !ok {
				t.Fatalf("%s: no switch phase", tr.name())
			}
			median[mode] = append(median[mode], p50)
		}
		// Other processes' work that starts or ends between the two trials of a round can
		// reverse it. If the two modes were alike, 18 of 24 rounds would differ this way once
		// in ninety times.
		longer := 0
		for round, process := range median[workloads.Processes] {
			if process > median[workloads.Threads][round] {
				longer++
			}
		}
		if longer < 18 {
			return fmt.Errorf("only in %d of %d rounds the switch phase takes longer between processes than"+
				" between threads: %.0f and %.0f ns",
				longer, p.Rounds, median[workloads.Processes], median[workloads.Threads])
		}
		t.Logf("switch phase p50, ns: processes %.0f, threads %.0f",
			median[workloads.Processes], median[workloads.Threads])
		return nil
	})
}

// Every switch has both phases, and a cost that is their sum.
func TestPhasesAreComplete(t *testing.T) {
	if !hasTracepoints(t, "sched_entry_tp", "sched_exit_tp") {
		bpftest.Lacks(t, false, "tracepoints at both ends of a switch")
	}
	c := open(t, collector.Options{})
	capture, err := c.Capture()
	if err != nil {
		t.Fatal(err)
	}
	if capture.Pick == "" || capture.Switch != "sched_exit_tp" {
		t.Fatalf("the phases come from %q and %q", capture.Pick, capture.Switch)
	}
	for _, tr := range runPlan(t, c, plan(t, "pipe")) {
		var untimed uint64
		for _, core := range tr.interval.Cores {
			for _, class := range core.Classes {
				n := class.Switches
				untimed += n - class.Switch.Count
				if class.Pick.Count != n || class.Cost.Count != class.Switch.Count {
					t.Errorf("%s: core %d: %d %s switches, but %d picks, %d switch phases, %d costs",
						tr.name(), core.CPU, n, class.Class, class.Pick.Count, class.Switch.Count, class.Cost.Count)
				}
				if n == class.Switch.Count && class.Cost.SumNS != class.Pick.SumNS+class.Switch.SumNS {
					t.Errorf("%s: core %d: %s: cost %d is not pick %d + switch %d",
						tr.name(), core.CPU, class.Class, class.Cost.SumNS, class.Pick.SumNS, class.Switch.SumNS)
				}
			}
		}
		if untimed > tr.interval.Lost.HiddenSwitches {
			t.Errorf("%s: %d switches lack their switch phase, the kernel hid %d",
				tr.name(), untimed, tr.interval.Lost.HiddenSwitches)
		}
	}
}
