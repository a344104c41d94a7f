//go:build linux

package workloads

import (
	"fmt"
	"testing"
	"time"
)

// Where many workers share all cores, each must have so many slices that the cost of its
// start does not matter.
func TestManyHaveManySlices(t *testing.T) {
	const enough = 20
	inBothModes(t, func(t *testing.T, mode Mode) {
		cpus, _ := allowedCPUs()
		variants := scale().Variants(len(cpus))
		trial := variantTrial(scale(), variants[len(variants)-1], mode, 0)
		inMostTrials(t, func() string {
			for _, w := range runTrial(t, trial).Workers {
				// A worker that is alone on a core for a while keeps it: each tick counts.
				kept := uint64((w.After.Runtime - w.Before.Runtime) / schedulerTick)
				if n := max(kept, w.After.Slices-w.Before.Slices); n < enough {
					return fmt.Sprintf("worker %d had %d slices, want %d", w.Index, n, enough)
				}
			}
			return ""
		})
	})
}

// Where the report shows how workers share a core, each must have many slices.
func TestSharesAreOfManySlices(t *testing.T) {
	for variant, enough := range map[int]float64{1: 20, 3: 12} {
		v := spin().Variants(2)[variant]
		inBothModes(t, func(t *testing.T, mode Mode) {
			inMostTrials(t, func() string {
				r, idle := runTrialUnlessIdle(t, variantTrial(spin(), v, mode, 0))
				if idle != "" {
					return idle // other work had the cores all the time
				}
				fewest, onCPU := uint64(1<<63), time.Duration(0)
				for _, w := range r.Workers {
					fewest = min(fewest, w.After.Slices-w.Before.Slices)
					onCPU += w.After.Runtime - w.Before.Runtime
				}
				// Without other tasks on the core the workers would have had more slices.
				undisturbed := float64(fewest) * float64(r.End-r.Start) / float64(onCPU)
				if undisturbed < enough {
					return fmt.Sprintf("a worker of spin %s had %.1f slices, want %v", v.Name, undisturbed, enough)
				}
				return ""
			})
		})
	}
}

// Each worker rehearses before the start gate, and nothing of that is counted.
func TestRehearsalIsNotCounted(t *testing.T) {
	inBothModes(t, func(t *testing.T, mode Mode) {
		r := runTrial(t, variantTrial(scale(), scale().Variants(1)[1], mode, 2))
		for _, w := range r.Workers {
			if w.Operations != 1 || w.Start > w.End || w.Start < r.Start {
				t.Errorf("worker %d did %d operations from %v to %v", w.Index, w.Operations, w.Start, w.End)
			}
			// The rehearsal takes about 1 ms, the work about 1 µs.
			if before := w.Before.Runtime; mode == Threads && before < 600*time.Microsecond {
				t.Errorf("worker %d computed for %v before the gate", w.Index, before)
			}
		}
	})
}

// If there is one worker only, there are no words of other workers to see.
func TestWordsOfOneWorkerAreAbsent(t *testing.T) {
	trial := variantTrial(counter(), counter().Variants(1)[1], Threads, 23)
	trial.Workers = 1
	if r := runTrial(t, trial); len(r.Figures) != 1 || r.Figures[0].Name != "counted" {
		t.Errorf("figures are %v, want only counted", r.Figures)
	}
}
