//go:build linux

package workloads

import (
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The kernel's own counters must show the switches that the workloads' comments
// promise. A foreign task's preemption may replace a voluntary switch; in the
// quietest pair of a few trials that is rare.
func TestPairsSwitchAsTheorySays(t *testing.T) {
	for _, w := range []Workload{pipe(), socket(), futex()} {
		inAllVariants(t, w, func(t *testing.T, v Variant, mode Mode) {
			if v.apart {
				return // see TestPairsApartSwitchAsTheorySays
			}
			for _, trips := range []int64{23, 10007} {
				theory := uint64(trips) + 1
				fewest := theory
				for trial := 0; trial < 20 && fewest > theory/100; trial++ {
					r := runTrial(t, variantTrial(w, v, mode, trips))
					for i, worker := range r.Workers {
						peer := r.Workers[i^1]
						checkPairWorker(t, worker, peer, trips, w.Name != "pipe")
						_, involuntary := switches(worker)
						_, others := switches(peer)
						fewest = min(fewest, max(involuntary, others))
					}
				}
				if fewest > theory/100 {
					t.Errorf("in %d trips a worker was preempted %d times or more: a wakeup must not preempt", trips, fewest)
				}
			}
		})
	}
}

// checkPairWorker checks that, of trips+1 switches, none is missing, and that
// there are more only where an early wakeup may have been in vain.
func checkPairWorker(t *testing.T, w, peer WorkerResult, trips int64, early bool) {
	t.Helper()
	if want := trips * int64(1-w.Index%2); w.Operations != want {
		t.Errorf("worker %d did %d operations, want %d", w.Index, w.Operations, want)
	}
	theory, most := uint64(trips)+1, uint64(trips)+1
	voluntary, involuntary := switches(w)
	if _, preempted := switches(peer); early {
		most += preempted + involuntary
	}
	if voluntary > most || voluntary+involuntary < theory {
		t.Errorf("worker %d was switched out %d times of its will and %d against it, want %d to %d of its will",
			w.Index, voluntary, involuntary, theory, most)
	}
	if slices := w.After.Slices - w.Before.Slices; slices != voluntary+involuntary {
		t.Errorf("worker %d was given the CPU %d times and left it %d times", w.Index, slices, voluntary+involuntary)
	}
}

// Between two cores a token may be there before its receiver sleeps, so that nobody
// waits more often than there are trips, and in the best of a few trials nearly as often.
func TestPairsApartSwitchAsTheorySays(t *testing.T) {
	inAllVariants(t, pipe(), func(t *testing.T, v Variant, mode Mode) {
		if !v.apart {
			return
		}
		const trips = 5003
		theory, best := uint64(trips)+1, uint64(0)
		for trial := 0; trial < 10 && best < theory*9/10; trial++ {
			fewest := theory
			r := runTrial(t, variantTrial(pipe(), v, mode, trips))
			for i, worker := range r.Workers {
				if peer := r.Workers[i^1]; peer.CPU == worker.CPU || worker.CPU < 0 {
					t.Fatalf("worker %d is on core %d, its peer on %d", i, worker.CPU, peer.CPU)
				}
				voluntary, _ := switches(worker)
				if voluntary > theory {
					t.Errorf("worker %d waited %d times in %d trips", i, voluntary, trips)
				}
				fewest = min(fewest, voluntary)
			}
			best = max(best, fewest)
		}
		if best < theory*9/10 {
			t.Errorf("in each of ten trials of %d trips a worker waited %d times or less", trips, best)
		}
	})
}

func TestMessagingSwitchesAsTheorySays(t *testing.T) {
	for _, cores := range []int{1, 2} {
		inAllVariants(t, messaging(), func(t *testing.T, v Variant, mode Mode) {
			trial := variantTrial(messaging(), v, mode, 10007)
			// A group and a smaller one.
			trial.CPUs, trial.Workers = trial.CPUs[:min(cores, len(trial.CPUs))], groupWorkers+2
			var voluntary, involuntary uint64
			r := runTrial(t, trial)
			for _, w := range r.Workers {
				v, i := switches(w)
				voluntary, involuntary = voluntary+v, involuntary+i
				if w.Index%2 == 0 && w.Operations != 0 {
					t.Errorf("sender %d counts %d messages", w.Index, w.Operations)
				}
			}
			const senders = groupWorkers/2 + 1
			if want := int64(senders * 10007); r.operations() != want {
				t.Errorf("%d messages arrived, want %d", r.operations(), want)
			}
			messages := uint64(r.operations())
			if voluntary > 2*messages {
				t.Errorf("%d voluntary switches for %d messages, want at most 2 each", voluntary, messages)
			}
			if least := messages / groupHolds(t); len(trial.CPUs) == 1 && voluntary+involuntary < least {
				t.Errorf("%d switches for %d messages on one core, want at least %d", voluntary+involuntary, messages, least)
			}
		})
	}
}

// groupHolds is how many messages the pipes of a group hold at most.
func groupHolds(t *testing.T) uint64 {
	fds, err := openGroups(2)
	defer closeAll(fds)
	if err != nil {
		t.Fatal(err)
	}
	bytes, err := unix.FcntlInt(uintptr(fds[0][0]), unix.F_GETPIPE_SZ, 0)
	if err != nil {
		t.Fatal(err)
	}
	return uint64(groupWorkers / 2 * (bytes/messageBytes + 1))
}

// Workers that compute block nowhere but at the end gate.
func TestComputingWorkersNeverBlock(t *testing.T) {
	for _, w := range []Workload{spin(), yield(), scale()} {
		inAllVariants(t, w, func(t *testing.T, v Variant, mode Mode) {
			for _, operations := range []int64{23, 10007} {
				trial := variantTrial(w, v, mode, operations)
				for _, worker := range runTrial(t, trial).Workers {
					want := operations
					if w.fixedWork {
						want = trial.share(v, worker.Index)
					}
					if worker.Operations != want {
						t.Errorf("worker %d did %d operations, want %d", worker.Index, worker.Operations, want)
					}
					if voluntary, _ := switches(worker); voluntary != 1 {
						t.Errorf("worker %d blocked %d times, want 1, at the end gate", worker.Index, voluntary)
					}
				}
			}
		})
	}
}

// In the best of a few trials nearly every call hands the core over: at its start
// and end a worker may be alone.
func TestYieldSwitchesAsTheorySays(t *testing.T) {
	inAllVariants(t, yield(), func(t *testing.T, v Variant, mode Mode) {
		const calls = 10007
		var off uint64
		for range 10 {
			off = 0
			for _, w := range runTrial(t, variantTrial(yield(), v, mode, calls)).Workers {
				_, involuntary := switches(w)
				off = max(off, max(involuntary, calls)-min(involuntary, calls))
			}
			if off <= calls/20 {
				return
			}
		}
		t.Errorf("%d calls differ from the switches by %d", calls, off)
	})
}

func TestSleepersSwitchAsTheorySays(t *testing.T) {
	const cycles = 211
	for _, w := range []Workload{sleep(), interactive()} {
		inAllVariants(t, w, func(t *testing.T, v Variant, mode Mode) {
			fewest := uint64(cycles)
			for trial := 0; trial < 10 && fewest > cycles/50; trial++ {
				replaced := uint64(0)
				r := runTrial(t, variantTrial(w, v, mode, cycles))
				sleepers := r.Workers
				if w.Name == "interactive" {
					sleepers = r.Workers[:1]
					checkHogs(t, r)
				}
				for _, worker := range sleepers {
					voluntary, involuntary := switches(worker)
					if worker.Operations != cycles || voluntary > cycles+1 || voluntary+involuntary < cycles+1 {
						t.Errorf("worker %d blocked %d times in %d cycles and was preempted %d times", worker.Index, voluntary, worker.Operations, involuntary)
					}
					replaced = max(replaced, cycles+1-min(voluntary, cycles+1))
				}
				fewest = min(fewest, replaced)
			}
			if fewest > cycles/50 {
				t.Errorf("in %d cycles %d waits or more were no voluntary switch", cycles, fewest)
			}
		})
	}
}

// checkHogs checks that those beside the sleeper never block, and that what they do
// is not taken for operations.
func checkHogs(t *testing.T, r Result) {
	t.Helper()
	for _, w := range r.Workers[1:] {
		if voluntary, _ := switches(w); voluntary != 1 || w.Operations != 0 {
			t.Errorf("worker %d counts %d operations and blocked %d times, want 0 and 1", w.Index, w.Operations, voluntary)
		}
	}
	if len(r.Figures) != 1 || r.Figures[0].Name != "chunks_beside" || r.Figures[0].Value == 0 {
		t.Errorf("figures are %v, want some chunks_beside", r.Figures)
	}
}

func TestCounterCountsAndSwitchesAsTheorySays(t *testing.T) {
	inAllVariants(t, counter(), func(t *testing.T, v Variant, mode Mode) {
		for _, operations := range []int64{23, 10007, 1_000_003} {
			r := runTrial(t, variantTrial(counter(), v, mode, operations))
			var blocked, most uint64
			for _, w := range r.Workers {
				voluntary, _ := switches(w)
				blocked += voluntary
				most++
			}
			if v.Name == "lock" {
				most += uint64(r.operations())
			}
			if blocked > most {
				t.Errorf("the workers blocked %d times, want at most %d", blocked, most)
			}
			if want := operations * int64(len(r.Workers)); r.operations() != want {
				t.Errorf("%d operations, want %d", r.operations(), want)
			}
			if len(r.Figures) != 2 || r.Figures[0].Name != "counted" || r.Figures[1].Name != "others_words_seen_ppm" {
				t.Fatalf("figures are %v, want counted and others_words_seen_ppm", r.Figures)
			}
			// What one process writes no other sees, and all threads of it do.
			if seen, want := r.Figures[1].Value, map[Mode]int64{Processes: 0, Threads: 1_000_000}[mode]; seen != want {
				t.Errorf("of the words of others %d ppm were seen, want %d", seen, want)
			}
			counted := r.Figures[0].Value
			if v.Name != "unsynchronised" && counted != r.operations() {
				t.Errorf("of %d additions %d counted, want all", r.operations(), counted)
			}
			if counted > r.operations() || counted < operations/100 {
				t.Errorf("of %d additions %d counted", r.operations(), counted)
			}
		}
	})
}

// Each worker of a ring waits once for each of its turns and at the end gate; one
// that is alone hands on to itself.
func TestWorkingsetSwitchesAsTheorySays(t *testing.T) {
	inAllVariants(t, workingset(), func(t *testing.T, v Variant, mode Mode) {
		turns := int64(1009)
		if v.buffer == mib {
			turns = 53
		}
		theory := uint64(turns) + 1
		if v.Workers == 1 {
			theory = 1
		}
		slack := max(theory/50, 3) // long walks meet ticks
		for range 10 {
			worst := uint64(0)
			r := runTrial(t, variantTrial(workingset(), v, mode, turns))
			if len(r.Figures) != 2 || r.Figures[0].Value <= 0 || r.Figures[1].Value <= 0 {
				t.Errorf("figures are %v, want times of walks", r.Figures)
			}
			for _, w := range r.Workers {
				if w.Operations != turns {
					t.Errorf("worker %d had %d turns, want %d", w.Index, w.Operations, turns)
				}
				voluntary, _ := switches(w)
				worst = max(worst, max(voluntary, theory)-min(voluntary, theory))
			}
			if worst <= slack {
				return
			}
		}
		t.Errorf("in each of ten trials a worker's voluntary switches were more than %d off %d", slack, theory)
	})
}

// A worker waits once for each task that it creates; one that is preempted between
// the two may find that the task has ended. The scheduler preempts at ticks, so a
// slow machine has more of them in as many tasks. Who creates a task also takes locks
// of the kernel's that others hold for a moment, and each wait for one is a switch
// too: trials that have some are set aside, but if the workload itself waited more
// often than it says, all would.
func TestSpawnSwitchesAsTheorySays(t *testing.T) {
	const tick, trials = 4 * time.Millisecond, 20
	inAllVariants(t, spawn(), func(t *testing.T, v Variant, mode Mode) {
		if v.Name == variantVfork {
			return // see TestVforkSwitchesAsTheorySays
		}
		for _, tasks := range []int64{23, 1009} {
			theory := uint64(tasks) + 1
			beyond, most, aside := theory, uint64(0), 0
			for trial := 0; trial < trials && aside <= trials/2 && beyond > theory/50; trial++ {
				missing, excess := uint64(0), uint64(0)
				r := runTrial(t, variantTrial(spawn(), v, mode, tasks))
				for _, w := range r.Workers {
					voluntary, involuntary := switches(w)
					if w.Operations != tasks || voluntary+involuntary < theory {
						t.Errorf("worker %d created %d tasks and was switched out %d times of its will and %d against it, want %d",
							w.Index, w.Operations, voluntary, involuntary, theory)
					}
					excess = max(excess, voluntary-min(voluntary, theory))
					missing = max(missing, theory-min(voluntary, theory))
				}
				most = max(most, excess)
				if excess > 0 {
					aside++
					continue
				}
				ticks := uint64((r.End - r.Start) / tick)
				beyond = min(beyond, missing-min(missing, ticks))
			}
			switch {
			case aside > trials/2:
				t.Errorf("%d of %d trials had up to %d waits more than the %d of theory", aside, trials, most, theory)
			case beyond > theory/50:
				t.Errorf("of %d waits %d or more were no voluntary switch, and no tick is to blame", theory, beyond)
			}
		}
	})
}

// Who creates a task by vfork waits for the begin of its program, and at most once more,
// for its end.
func TestVforkSwitchesAsTheorySays(t *testing.T) {
	const tasks = 499
	v := spawn().Variants(1)[slices.IndexFunc(spawn().Variants(1), func(v Variant) bool { return v.Name == variantVfork })]
	for range 10 {
		r := runTrial(t, variantTrial(spawn(), v, Processes, tasks))
		// The task runs within the call that creates it, but for its end.
		right := r.Figures[0].Value > 3*r.Figures[1].Value
		for _, w := range r.Workers {
			voluntary, involuntary := switches(w)
			if w.Operations != tasks || voluntary+involuntary <= tasks {
				t.Fatalf("worker %d created %d tasks and was switched out %d times", w.Index, w.Operations, voluntary+involuntary)
			}
			// Waits for locks of the kernel's come on top: see above.
			right = right && voluntary <= 2*tasks+1+tasks/50
		}
		if right {
			return
		}
	}
	t.Errorf("in each of ten trials a worker waited more than twice for each of %d tasks, or not within the call", tasks)
}

// What creating takes, and what joining does, is all that a worker's time is.
func TestPartsOfSpawnAddUp(t *testing.T) {
	inAllVariants(t, spawn(), func(t *testing.T, v Variant, mode Mode) {
		trial := variantTrial(spawn(), v, mode, 211)
		trial.Workers, trial.CPUs = 1, trial.CPUs[:1]
		var part float64
		for range 10 {
			r := runTrial(t, trial)
			if len(r.Figures) != 3 || r.Figures[0].Value <= 0 || r.Figures[1].Value <= 0 {
				t.Fatalf("figures are %v", r.Figures)
			}
			if resident := r.Figures[2].Value; resident < int64(v.buffer)+mib || resident > int64(v.buffer)+256*mib {
				t.Errorf("the parent has %d bytes resident, with a buffer of %d", resident, v.buffer)
			}
			part = float64(r.Figures[0].Value+r.Figures[1].Value) / float64(r.End-r.Start)
			if part > 1 {
				t.Fatalf("the parts are %.3f of the whole", part)
			}
			if part > 0.95 {
				return
			}
		}
		t.Errorf("the parts are %.3f of the whole", part)
	})
}
