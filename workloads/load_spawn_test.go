//go:build linux

package workloads

import (
	"fmt"
	"slices"
	"testing"
)

// A worker waits once for each task that it creates. If it is preempted between creating and
// waiting, the created task may have ended already: then an involuntary switch replaces the
// voluntary one. Where two workers create tasks from one program, each also waits now and then
// for a lock of that program's mappings that the other holds (i_mmap_rwsem, in dup_mmap), mostly
// where other work preempts the holder. So one worker must wait exactly as often as said, and
// two at most a tenth more often.
func TestSpawnSwitchesAsTheorySays(t *testing.T) {
	inAllVariants(t, spawn(), func(t *testing.T, v Variant, mode Mode) {
		if v.Name == variantVfork {
			return // see TestVforkSwitchesAsTheorySays
		}
		for _, tasks := range []int64{23, 211} {
			trial := variantTrial(spawn(), v, mode, tasks)
			inMostTrials(t, func() string { return spawnWaits(t, trial, uint64(tasks/10)) })
			trial.Workers, trial.CPUs = 1, trial.CPUs[:1]
			inMostTrials(t, func() string { return spawnWaits(t, trial, 0) })
		}
	})
}

// spawnWaits runs a trial and says whether a worker waited more often than it should, and more
// often than allowed beyond that.
func spawnWaits(t *testing.T, trial Trial, allowed uint64) string {
	t.Helper()
	theory := uint64(trial.Operations) + 1
	for _, w := range runTrial(t, trial).Workers {
		voluntary, involuntary := switches(w)
		if w.Operations != trial.Operations || voluntary+involuntary < theory {
			t.Errorf("worker %d created %d tasks and has %d + %d switches, want %d",
				w.Index, w.Operations, voluntary, involuntary, theory)
		}
		if voluntary > theory+allowed {
			return fmt.Sprintf("one of %d workers waited %d times more than for %d tasks",
				trial.Workers, voluntary-theory, trial.Operations)
		}
	}
	return ""
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
