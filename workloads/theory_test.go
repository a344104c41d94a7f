//go:build linux

package workloads

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// schedulerTick is the longest time between two ticks at which the scheduler preempts, on
	// usual kernels.
	schedulerTick = 4 * time.Millisecond
	// shortestSlice is the shortest slice after which the scheduler lets another task run, at a
	// tick or when it next looks at the queue (base_slice_ns, which grows with the cores).
	shortestSlice = 700 * time.Microsecond
)

// slicesOver returns how many slices may have been over on one core during a trial.
func slicesOver(r Result) uint64 { return uint64((r.End-r.Start)/shortestSlice) + 1 }

// runCountingOthers runs a trial and also returns how many switches of other tasks there were
// for each core, between the gates: all that the kernel counts, less the workers' own.
func runCountingOthers(t *testing.T, trial Trial) (r Result, others uint64) {
	t.Helper()
	var before, after uint64
	observer := &recorder{
		ready:   func([]Worker) error { before = contextSwitches(t); return nil },
		stopped: func(Result) error { after = contextSwitches(t); return nil },
	}
	if err := Run(t.Context(), trial, nil, observer); err != nil {
		t.Fatal(err)
	}
	r, others = observer.results[0], after-before
	for _, w := range r.Workers {
		voluntary, involuntary := switches(w)
		others -= min(others, voluntary+involuntary)
	}
	return r, others / uint64(len(trial.CPUs))
}

// contextSwitches returns the number of switches on all cores since the boot.
func contextSwitches(t *testing.T) uint64 {
	t.Helper()
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(stat), "\nctxt ")
	text, _, _ = strings.Cut(text, "\n")
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// The kernel's own counters must show the switches that the workloads' comments
// promise. In each trial no switch may be missing. A worker may be preempted when its slice is
// over, and by other tasks each time that they come, in the quietest pair as often as on the
// average core. If wakeups by the partner preempted, about every second send would be one.
func TestPairsSwitchAsTheorySays(t *testing.T) {
	for _, w := range []Workload{pipe(), socket(), futex()} {
		inAllVariants(t, w, func(t *testing.T, v Variant, mode Mode) {
			if v.apart {
				return // see TestPairsApartSwitchAsTheorySays
			}
			pairs := func(trips int64) (preempted, excused uint64) {
				preempted = uint64(trips)
				r, others := runCountingOthers(t, variantTrial(w, v, mode, trips))
				for i, worker := range r.Workers {
					peer := r.Workers[i^1]
					checkPairWorker(t, worker, peer, trips, w.Name != "pipe")
					_, involuntary := switches(worker)
					_, ofPeer := switches(peer)
					preempted = min(preempted, max(involuntary, ofPeer))
				}
				return preempted, slicesOver(r) + others
			}
			pairs(23)
			pairs(10007)
			inMostTrials(t, func() string {
				const trips = 2003
				if preempted, excused := pairs(trips); preempted > trips/100+excused {
					return fmt.Sprintf("in %d trips a worker of each pair was preempted %d times or more, "+
						"where slices and other tasks excuse %d: a wakeup must not preempt", trips, preempted, excused)
				}
				return ""
			})
		})
	}
}

// checkPairWorker checks that a worker has not fewer than trips+1 switches, and not more
// either, unless a wakeup may have come too early.
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
		t.Errorf("worker %d has %d voluntary and %d involuntary switches, want %d to %d voluntary ones",
			w.Index, voluntary, involuntary, theory, most)
	}
	if slices := w.After.Slices - w.Before.Slices; slices != voluntary+involuntary {
		t.Errorf("worker %d was switched in %d times and switched out %d times",
			w.Index, slices, voluntary+involuntary)
	}
}

// Between two cores a token may be there before its receiver sleeps. So no worker waits more
// often than there are trips, and in most trials each waits nearly as often, but for the waits
// that other tasks save it: a token can come while its receiver is preempted.
func TestPairsApartSwitchAsTheorySays(t *testing.T) {
	inAllVariants(t, pipe(), func(t *testing.T, v Variant, mode Mode) {
		if !v.apart {
			return
		}
		const trips = 2003
		theory := uint64(trips) + 1
		inMostTrials(t, func() string {
			fewest := theory
			r := runTrial(t, variantTrial(pipe(), v, mode, trips))
			for i, worker := range r.Workers {
				if peer := r.Workers[i^1]; peer.CPU == worker.CPU || worker.CPU < 0 {
					t.Fatalf("worker %d is on core %d, its peer on %d", i, worker.CPU, peer.CPU)
				}
				voluntary, involuntary := switches(worker)
				if voluntary > theory {
					t.Errorf("worker %d waited %d times in %d trips", i, voluntary, trips)
				}
				fewest = min(fewest, voluntary+involuntary)
			}
			if fewest < theory*9/10 {
				return fmt.Sprintf("in %d trips a worker waited or was preempted only %d times", trips, fewest)
			}
			return ""
		})
	})
}

func TestMessagingSwitchesAsTheorySays(t *testing.T) {
	for _, cores := range []int{1, 2} {
		inAllVariants(t, messaging(), func(t *testing.T, v Variant, mode Mode) {
			trial := variantTrial(messaging(), v, mode, 10007)
			// One full group and a small one.
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
				t.Errorf("%d switches for %d messages on one core, want at least %d",
					voluntary+involuntary, messages, least)
			}
		})
	}
}

// groupHolds returns how many messages the pipes of a group hold at most.
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

// Workers that compute block only at the end gate.
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

// In most trials nearly every call is a switch: at its start and end a worker may be alone.
func TestYieldSwitchesAsTheorySays(t *testing.T) {
	inAllVariants(t, yield(), func(t *testing.T, v Variant, mode Mode) {
		const calls = 10007
		inMostTrials(t, func() string {
			for _, w := range runTrial(t, variantTrial(yield(), v, mode, calls)).Workers {
				_, involuntary := switches(w)
				if off := max(involuntary, calls) - min(involuntary, calls); off > calls/20 {
					return fmt.Sprintf("worker %d has %d switches in %d calls", w.Index, involuntary, calls)
				}
			}
			return ""
		})
	})
}

// Each cycle of a worker that sleeps is a switch. In most trials nearly all of these are
// voluntary ones.
func TestSleepersSwitchAsTheorySays(t *testing.T) {
	const cycles = 211
	for _, w := range []Workload{sleep(), interactive()} {
		inAllVariants(t, w, func(t *testing.T, v Variant, mode Mode) {
			inMostTrials(t, func() string {
				most := uint64(0)
				r := runTrial(t, variantTrial(w, v, mode, cycles))
				sleepers := r.Workers
				if w.Name == "interactive" {
					sleepers = r.Workers[:1]
					checkHogs(t, r)
				}
				for _, worker := range sleepers {
					voluntary, involuntary := switches(worker)
					if worker.Operations != cycles || voluntary > cycles+1 || voluntary+involuntary < cycles+1 {
						t.Errorf("worker %d blocked %d times in %d cycles and was preempted %d times",
							worker.Index, voluntary, worker.Operations, involuntary)
					}
					most = max(most, cycles+1-min(voluntary, cycles+1))
				}
				if most > cycles/50 {
					return fmt.Sprintf("in %d cycles %d waits of a worker were no voluntary switch", cycles, most)
				}
				return ""
			})
		})
	}
}

// checkHogs checks that the workers beside the sleeper never block, and that their chunks
// are not counted as operations.
func checkHogs(t *testing.T, r Result) {
	t.Helper()
	for _, w := range r.Workers[1:] {
		if voluntary, _ := switches(w); voluntary != 1 || w.Operations != 0 {
			t.Errorf("worker %d counts %d operations and blocked %d times, want 0 and 1",
				w.Index, w.Operations, voluntary)
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
			// No process sees what another one has written, and all threads of a process do.
			seen, want := r.Figures[1].Value, map[Mode]int64{Processes: 0, Threads: 1_000_000}[mode]
			if seen != want {
				t.Errorf("%d ppm of other workers' words were seen, want %d", seen, want)
			}
			counted := r.Figures[0].Value
			if v.Name != "unsynchronised" && counted != r.operations() {
				t.Errorf("%d of %d additions are counted, want all", counted, r.operations())
			}
			if counted > r.operations() || counted < operations/100 {
				t.Errorf("%d of %d additions are counted", counted, r.operations())
			}
		}
	})
}

// Each worker of a ring waits once for each of its turns and once at the end gate. Each
// preemption can replace one of these waits, and can make the next worker wait once more.
func TestWorkingsetSwitchesAsTheorySays(t *testing.T) {
	inAllVariants(t, workingset(), func(t *testing.T, v Variant, mode Mode) {
		turns := int64(1009)
		if v.buffer == mib {
			turns = 53
		}
		theory, most := uint64(turns)+1, uint64(turns)+1
		r := runTrial(t, variantTrial(workingset(), v, mode, turns))
		if len(r.Figures) != 2 || r.Figures[0].Value <= 0 || r.Figures[1].Value <= 0 {
			t.Errorf("figures are %v, want times of walks", r.Figures)
		}
		for _, w := range r.Workers {
			_, involuntary := switches(w)
			most += involuntary
		}
		for _, w := range r.Workers {
			if w.Operations != turns {
				t.Errorf("worker %d had %d turns, want %d", w.Index, w.Operations, turns)
			}
			voluntary, involuntary := switches(w)
			if voluntary+involuntary < theory || voluntary > most {
				t.Errorf("worker %d has %d voluntary and %d involuntary switches, want %d to %d voluntary ones",
					w.Index, voluntary, involuntary, theory, most)
			}
		}
	})
}

// Where workers wait for each other, or for tasks that they create, a wakeup must not preempt
// the task that causes it. The kernel does not let tasks of this policy preempt.
func TestWorkersThatWaitForEachOtherDoNotPreempt(t *testing.T) {
	for _, w := range []Workload{pipe(), socket(), futex(), workingset(), spawn()} {
		inBothModes(t, func(t *testing.T, mode Mode) {
			r := &recorder{ready: func(workers []Worker) error {
				for _, worker := range workers {
					stat, err := readProc(fmt.Sprintf("/proc/%d/task/%d/stat", worker.PID, worker.TID))
					if err != nil {
						return err
					}
					if _, policy := parseStat(stat); policy != unix.SCHED_BATCH {
						t.Errorf("%s: worker %d has policy %d, want SCHED_BATCH", w.Name, worker.Index, policy)
					}
				}
				return nil
			}}
			if err := Run(t.Context(), variantTrial(w, w.Variants(1)[0], mode, 23), nil, r); err != nil {
				t.Error(err)
			}
		})
	}
}
