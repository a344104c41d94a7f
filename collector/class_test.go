package collector_test

import (
	"fmt"
	"testing"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/report"
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
	p.Workers, p.CPUs, p.Rounds, p.Operations = 2, []workloads.CPU{0}, 24, 1009
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

// Every switch has both phases, and a cost that is their sum, whichever hooks bound them. The
// kernel skips a few calls of kprobes.
func TestPhasesAreComplete(t *testing.T) {
	tried := 0
	for _, w := range allWays() {
		c := open(t, collector.Options{Avoid: w.avoid})
		capture, err := c.Capture()
		if err != nil {
			t.Fatal(err)
		}
		if capture.Pick != w.pick {
			continue
		}
		tried++
		t.Run(w.name, func(t *testing.T) {
			for _, tr := range runPlan(t, c, plan(t, "pipe")) {
				checkPhases(t, tr, capture)
			}
		})
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	if tried == 0 {
		bpftest.Lacks(t, hasTracepoints(t, "rcu_utilization"), "no hook bounds the pick phase")
	}
}

func checkPhases(t *testing.T, tr traced, capture report.Capture) {
	t.Helper()
	var switches, unpicked, unended uint64
	for _, core := range tr.interval.Cores {
		for _, class := range core.Classes {
			n := class.Switches
			switches, unpicked, unended = switches+n, unpicked+n-class.Pick.Count, unended+n-class.Switch.Count
			if class.Cost.Count > min(class.Pick.Count, class.Switch.Count) ||
				class.Cost.Count+n < class.Pick.Count+class.Switch.Count {
				t.Errorf("%s: core %d: %d %s switches, but %d picks, %d switch phases, %d costs",
					tr.name(), core.CPU, n, class.Class, class.Pick.Count, class.Switch.Count, class.Cost.Count)
			}
			if n > 0 && n == class.Cost.Count && class.Cost.SumNS != class.Pick.SumNS+class.Switch.SumNS {
				t.Errorf("%s: core %d: %s: cost %d is not pick %d + switch %d",
					tr.name(), core.CPU, class.Class, class.Cost.SumNS, class.Pick.SumNS, class.Switch.SumNS)
			}
		}
	}
	lacks := func(phase, hook string, n, may uint64) {
		may += skipped(hook, switches)
		if n > may {
			t.Errorf("%s: %d of %d switches lack their %s phase, which %s bounds; %d may",
				tr.name(), n, switches, phase, hook, may)
		}
	}
	lacks("pick", capture.Pick, unpicked, 0)
	if capture.Switch != "" {
		lacks("switch", capture.Switch, unended, tr.interval.Lost.HiddenSwitches)
	}
}
