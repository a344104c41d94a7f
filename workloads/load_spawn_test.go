//go:build linux

package workloads

import (
	"fmt"
	"slices"
	"testing"
)

// A worker waits once for each task that it creates. If it is preempted between creating and
// waiting, the created task may have ended already: then an involuntary switch replaces the
// voluntary one. Creating a task also takes locks in the kernel that other tasks can hold for
// a moment, and a wait for one is a switch too. So in a few trials a worker waits more often;
// if the workload did, it would do so in all trials.
func TestSpawnSwitchesAsTheorySays(t *testing.T) {
	inAllVariants(t, spawn(), func(t *testing.T, v Variant, mode Mode) {
		if v.Name == variantVfork {
			return // see TestVforkSwitchesAsTheorySays
		}
		for _, tasks := range []int64{23, 211} {
			theory := uint64(tasks) + 1
			inMostTrials(t, func() string {
				excess := uint64(0)
				for _, w := range runTrial(t, variantTrial(spawn(), v, mode, tasks)).Workers {
					voluntary, involuntary := switches(w)
					if w.Operations != tasks || voluntary+involuntary < theory {
						t.Errorf("worker %d created %d tasks and has %d + %d switches, want %d",
							w.Index, w.Operations, voluntary, involuntary, theory)
					}
					excess = max(excess, voluntary-min(voluntary, theory))
				}
				if excess > 0 {
					return fmt.Sprintf("a worker waited %d times more than for %d tasks", excess, tasks)
				}
				return ""
			})
		}
	})
}

// A worker that creates a task by vfork waits until the program has started, and at most once
// more, for its end.
func TestVforkSwitchesAsTheorySays(t *testing.T) {
	const tasks = 499
	variants := spawn().Variants(1)
	v := variants[slices.IndexFunc(variants, func(v Variant) bool { return v.Name == variantVfork })]
	inMostTrials(t, func() string {
		r := runTrial(t, variantTrial(spawn(), v, Processes, tasks))
		for _, w := range r.Workers {
			voluntary, involuntary := switches(w)
			if w.Operations != tasks || voluntary+involuntary <= tasks {
				t.Fatalf("worker %d created %d tasks and was switched out %d times",
					w.Index, w.Operations, voluntary+involuntary)
			}
			// Some waits for locks in the kernel may be added: see above.
			if most := uint64(2*tasks + 1 + tasks/50); voluntary > most {
				return fmt.Sprintf("worker %d waited %d times, want at most %d", w.Index, voluntary, most)
			}
		}
		// The task runs within the call that creates it, except for its end.
		if create, join := r.Figures[0].Value, r.Figures[1].Value; create <= 3*join {
			return fmt.Sprintf("creating took %d ns and joining %d ns, want little for joining", create, join)
		}
		return ""
	})
}

// The times of creating and of joining tasks are all of a worker's time.
func TestPartsOfSpawnAddUp(t *testing.T) {
	inAllVariants(t, spawn(), func(t *testing.T, v Variant, mode Mode) {
		trial := variantTrial(spawn(), v, mode, 103)
		trial.Workers, trial.CPUs = 1, trial.CPUs[:1]
		inMostTrials(t, func() string {
			r := runTrial(t, trial)
			if len(r.Figures) != 3 || r.Figures[0].Value <= 0 || r.Figures[1].Value <= 0 {
				t.Fatalf("figures are %v", r.Figures)
			}
			resident := r.Figures[2].Value
			if resident < int64(v.buffer)+mib || resident > int64(v.buffer)+256*mib {
				t.Errorf("the parent has %d bytes resident, with a buffer of %d", resident, v.buffer)
			}
			part := float64(r.Figures[0].Value+r.Figures[1].Value) / float64(r.End-r.Start)
			if part > 1 {
				t.Errorf("the parts are %.3f of the whole", part)
			}
			if part <= 0.95 {
				return fmt.Sprintf("the parts are %.3f of the whole", part)
			}
			return ""
		})
	})
}
