package collector_test

import (
	"fmt"
	"testing"

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
	p.Workers, p.CPUs, p.Rounds = 2, []int{0}, 3
	want := map[workloads.Mode]report.Class{
		workloads.Processes: report.ClassProcess,
		workloads.Threads:   report.ClassThread,
	}
	eventually(t, c, p, func(trials []traced) error {
		median := make(map[workloads.Mode][]float64)
		for _, tr := range trials {
			core, mode := tr.core(0), tr.result.Trial.Mode
			var all uint64
			for _, class := range core.Classes {
				all += class.Switches
			}
			own := classOf(core, want[mode])
			if float64(own.Switches) < 0.99*float64(all) {
				return fmt.Errorf("%s: %d of %d switches are %s", tr.name(), own.Switches, all, want[mode])
			}
			p50, ok := own.Switch.Quantile(0.5)
			if !ok {
				t.Fatalf("%s: no switch phase", tr.name())
			}
			median[mode] = append(median[mode], p50)
		}
		// In every round, or the tracer is wrong: no noise explains it.
		for round, process := range median[workloads.Processes] {
			if thread := median[workloads.Threads][round]; process <= thread {
				t.Errorf("round %d: the switch phase takes %.0f ns between processes and %.0f ns between threads", round+1, process, thread)
			}
		}
		t.Logf("switch phase p50, ns: processes %.0f, threads %.0f", median[workloads.Processes], median[workloads.Threads])
		return nil
	})
}

// Every switch has both its phases, and a cost that is their sum.
func TestPhasesAreComplete(t *testing.T) {
	c := open(t, collector.Options{})
	capture, err := c.Capture()
	if err != nil {
		t.Fatal(err)
	}
	if capture.Pick == "" || capture.Switch != "sched_exit_tp" {
		t.Skipf("this kernel has no sched_entry_tp and sched_exit_tp: %+v", capture)
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
		if untimed > tr.interval.Lost.Unseen {
			t.Errorf("%s: %d switches lack their switch phase, the kernel hid %d", tr.name(), untimed, tr.interval.Lost.Unseen)
		}
	}
}
