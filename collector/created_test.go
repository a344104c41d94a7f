package collector_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/workloads"
)

// Every task that spawn's workers create is counted with its whole life, whose three phases
// follow each other within the operation, by the worker's own clock.
func TestCreatedTasksAreCounted(t *testing.T) {
	c := open(t, collector.Options{})
	all := variantsOf(plan(t, "spawn"))
	// Many of the quick ones: of the others a thousand take seconds.
	variantsWith := map[int64][]string{23: all, 1009: {"", "exec", "vfork"}}
	if bpftest.Emulated() {
		delete(variantsWith, 1009)
	}
	for operations, names := range variantsWith {
		p := plan(t, "spawn")
		p.Operations = operations
		trials := 0
		for _, tr := range runVariants(t, c, p, names...) {
			trials++
			checkExact(t, tr)
			name := tr.result.Trial.Name() + " " + string(tr.result.Trial.Mode)
			created := tr.interval.Created
			if created == nil {
				t.Fatalf("%s: nothing was created", name)
			}
			want := uint64(operations) * uint64(len(tr.result.Workers))
			for what, n := range map[string]uint64{
				"tasks": created.Tasks, "reconciled": created.Reconciled,
				"starts": created.Start.Count, "runs": created.Run.Count, "ends": created.End.Count,
			} {
				if n != want {
					t.Errorf("%s: %d %s, want %d", name, n, what, want)
				}
			}
			phases := created.Start.SumNS + created.Run.SumNS + created.End.SumNS
			// A thread's creator goes on before it is quite gone, by as long as an
			// emulator that runs one core after another lets that core wait.
			most := uint64(tr.result.End-tr.result.Start) * uint64(len(tr.result.Workers))
			if phases > most && !bpftest.Emulated() {
				t.Errorf("%s: lives of %d ns in all, within %d ns of work", name, phases, most)
			}
			// They were in no other task's time, and are in the wait and the CPU time of
			// their own; in an emulator one can be blocked for long on its way out.
			alive := uint64(created.OnCPUNS + created.WaitNS)
			if alive > phases || alive < phases/2 && !bpftest.Emulated() {
				t.Errorf("%s: created tasks ran or waited for %d ns of their lives of %d ns", name, alive, phases)
			}
			for _, task := range tr.interval.Tasks {
				if task.Exited {
					t.Errorf("%s: task %d has a row of its own", name, task.TID)
				}
			}
		}
		if trials < len(names) || trials < 4 {
			t.Errorf("%d trials, want those of a thread, a fork, and variants that execute", trials)
		}
	}
}

// variantsOf returns the names of a plan's variants.
func variantsOf(p workloads.Plan) (names []string) {
	for _, trial := range p.Trials() {
		names = append(names, trial.Variant)
	}
	return names
}

// The phases of a created task show whether it is a thread, a fork or an execution: a fork's
// end undoes an address space, an execution makes a new one while it runs.
func TestCreationPhasesTellTheFormsApart(t *testing.T) {
	c := open(t, collector.Options{})
	p := plan(t, "spawn")
	p.Duration = 100 * time.Millisecond
	bpftest.Mostly(t, func() error {
		p50 := make(map[string]float64)
		for _, tr := range runVariants(t, c, p, "", "exec") {
			key := tr.result.Trial.Variant + string(tr.result.Trial.Mode)
			p50[key+" run"], _ = tr.interval.Created.Run.Quantile(0.5)
			p50[key+" end"], _ = tr.interval.Created.End.Quantile(0.5)
		}
		var errs []error
		for _, pair := range [][2]string{{"processes end", "threads end"}, {"execprocesses run", "processes run"}} {
			if p50[pair[0]] <= p50[pair[1]] {
				errs = append(errs, fmt.Errorf("%s takes %.0f ns, %s %.0f ns",
					pair[0], p50[pair[0]], pair[1], p50[pair[1]]))
			}
		}
		return errors.Join(errs...)
	})
}
