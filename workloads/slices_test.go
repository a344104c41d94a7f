//go:build linux

package workloads

import (
	"testing"
	"time"
)

// Where many share all cores each is to have slices enough that what it has of its own
// at its start does not count.
func TestManyHaveManySlices(t *testing.T) {
	const tick = 4 * time.Millisecond
	inBothModes(t, func(t *testing.T, mode Mode) {
		cpus, _ := allowedCPUs()
		forms := scale().Variants(len(cpus))
		trial := variantTrial(scale(), forms[len(forms)-1], mode, 0)
		var fewest uint64
		for range 5 {
			fewest = 1 << 63
			for _, w := range runTrial(t, trial).Workers {
				// A worker that is alone on a core for a while keeps it.
				ran := uint64((w.After.Runtime - w.Before.Runtime) / tick)
				fewest = min(fewest, max(ran, w.After.Slices-w.Before.Slices))
			}
			if fewest >= 20 {
				return
			}
		}
		t.Errorf("a worker of %s had %d slices, want 20", trial.Name(), fewest)
	})
}

func TestSharesAreToldFromManySlices(t *testing.T) {
	for form, least := range map[int]uint64{1: 20, 3: 12} {
		v := spin().Variants(2)[form]
		inBothModes(t, func(t *testing.T, mode Mode) {
			var fewest uint64
			for range 5 {
				fewest = 1 << 63
				var ran time.Duration
				r := runTrial(t, variantTrial(spin(), v, mode, 0))
				for _, w := range r.Workers {
					fewest = min(fewest, w.After.Slices-w.Before.Slices)
					ran += w.After.Runtime - w.Before.Runtime
				}
				// Who else had the core would have left the workers so many more.
				fewest = uint64(float64(fewest) * float64(r.End-r.Start) / float64(ran))
				if fewest >= least {
					return
				}
			}
			t.Errorf("a worker of spin %s had %d slices, want %d", v.Name, fewest, least)
		})
	}
}

// Before the start gate each worker has done what is not to be measured, and none of
// it is counted.
func TestRehearsalLeavesNoTrace(t *testing.T) {
	inBothModes(t, func(t *testing.T, mode Mode) {
		r := runTrial(t, variantTrial(scale(), scale().Variants(1)[1], mode, 2))
		for _, w := range r.Workers {
			if w.Operations != 1 || w.Start > w.End || w.Start < r.Start {
				t.Errorf("worker %d did %d operations from %v to %v", w.Index, w.Operations, w.Start, w.End)
			}
			// The rehearsal is about 1 ms, the work about 1 µs.
			if before := w.Before.Runtime; mode == Threads && before < 600*time.Microsecond {
				t.Errorf("worker %d computed for %v before the gate", w.Index, before)
			}
		}
	})
}

// Alone a worker sees no other's word: there is none.
func TestWordsOfNobodyAreAbsent(t *testing.T) {
	trial := variantTrial(counter(), counter().Variants(1)[1], Threads, 23)
	trial.Workers = 1
	if r := runTrial(t, trial); len(r.Figures) != 1 || r.Figures[0].Name != "counted" {
		t.Errorf("figures are %v, want counted alone", r.Figures)
	}
}
