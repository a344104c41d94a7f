//go:build linux

package workloads

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func TestSpinSharesOneCore(t *testing.T) {
	trial := testTrial("spin", Threads, 3, 0, 300*time.Millisecond)
	trial.CPUs = trial.CPUs[:1]
	r := runTrial(t, trial)
	var busy time.Duration
	for _, w := range r.Workers {
		if w.CPU != trial.CPUs[0] {
			t.Errorf("worker %d says it is pinned to core %d, want %d", w.Index, w.CPU, trial.CPUs[0])
		}
		busy += w.After.Runtime - w.Before.Runtime
	}
	// Every worker's gate work is in busy, too, and other tasks may take most of the core.
	if wall := r.End - r.Start; busy > wall+20*time.Millisecond || busy < wall/50 {
		t.Errorf("three workers on one core ran for %v within %v", busy, wall)
	}
}

func TestDeadlineIsKeptByAll(t *testing.T) {
	const duration = 200 * time.Millisecond
	for _, w := range Catalogue() {
		if w.fixedWork {
			continue
		}
		name, variant := w.Name, w.Variants(1)[0]
		inBothModes(t, func(t *testing.T, mode Mode) {
			opened := time.Duration(monotonic())
			trial := variantTrial(w, variant, mode, 0)
			trial.Duration = duration
			want := duration
			if w.fatal && mode == Threads {
				want /= 2
			}
			r := runTrial(t, trial)
			// Others can keep a worker from the core at its end. The kernel counts for how long in
			// all, which is the most that it can have been there; what a hypervisor takes or a
			// quota it does not count, so a trial is done again, once.
			late := func() bool {
				var kept time.Duration
				for _, w := range r.Workers {
					if !w.Died {
						kept = max(kept, w.After.RunDelay-w.Before.RunDelay)
					}
				}
				return r.End-r.Start > want+150*time.Millisecond+kept
			}
			if late() {
				r = runTrial(t, trial)
			}
			if r.Start < opened || r.End > time.Duration(monotonic()) {
				t.Errorf("%s: stamps %v to %v lie outside the call", name, r.Start, r.End)
			}
			if took := r.End - r.Start; took < want-50*time.Millisecond || late() {
				t.Errorf("%s: took %v from first start to last end, want about %v", name, took, want)
			}
			var operations int64
			for _, w := range r.Workers {
				if w.Start < r.Start || w.End > r.End || w.Start > w.End {
					t.Errorf("%s: worker %d worked from %v to %v, the trial from %v to %v", name, w.Index, w.Start, w.End, r.Start, r.End)
				}
				operations += w.Operations
			}
			if operations == 0 {
				t.Errorf("%s: no operation in %v", name, duration)
			}
		})
	}
}

func TestEveryNumberOfWorkers(t *testing.T) {
	inBothModes(t, func(t *testing.T, mode Mode) {
		for _, n := range []int{1, 2, 64, 256} {
			name := "pipe"
			if n%2 != 0 {
				name = "spin"
			}
			r := runTrial(t, testTrial(name, mode, n, 7, 0))
			tids, pids := map[int]bool{}, map[int]bool{}
			for i, w := range r.Workers {
				tids[w.TID], pids[w.PID] = true, true
				if w.Index != i || w.Comm != comm(name, i) {
					t.Errorf("worker %d is %+v", i, w.Worker)
				}
			}
			processes := 1
			if mode == Processes {
				processes = n
			}
			if len(tids) != n || len(pids) != processes {
				t.Errorf("%d workers have %d threads in %d processes, want %d in %d", n, len(tids), len(pids), n, processes)
			}
		}
	})
}

// At the gates a worker is what the observer was told, blocked, and on its cores.
func TestWorkersAtTheGates(t *testing.T) {
	inBothModes(t, func(t *testing.T, mode Mode) {
		trial := testTrial("pipe", mode, 4, 23, 0)
		check := func(w Worker) error {
			task := fmt.Sprintf("/proc/%d/task/%d/", w.PID, w.TID)
			name, err := os.ReadFile(task + "comm")
			if err != nil {
				return err
			}
			if got := strings.TrimSpace(string(name)); got != w.Comm {
				return fmt.Errorf("worker %d is called %q, want %q", w.Index, got, w.Comm)
			}
			set := unix.NewCPUSet(mostCPUs)
			if err := unix.SchedGetaffinityDynamic(w.TID, set); err != nil {
				return err
			}
			if want := trial.CPUs[w.Index/2%len(trial.CPUs)]; set.Count() != 1 || !set.IsSet(want) || w.CPU != want {
				return fmt.Errorf("worker %d may run on %d cores and says %d, want core %d", w.Index, set.Count(), w.CPU, want)
			}
			if off, err := offCPU(task); err != nil || !off {
				return fmt.Errorf("worker %d is off the CPU: %v, %w", w.Index, off, err)
			}
			return nil
		}
		r := &recorder{
			ready: func(workers []Worker) (err error) {
				for _, w := range workers {
					err = errors.Join(err, check(w))
				}
				return err
			},
			stopped: func(result Result) (err error) {
				for _, w := range result.Workers {
					err = errors.Join(err, check(w.Worker))
				}
				return err
			},
		}
		if err := Run(t.Context(), trial, nil, r); err != nil {
			t.Error(err)
		}
	})
}

// Go's monitor thread would wake 100 times a second in every host, always; on a
// busy machine it may wake some times before it sees that it is not needed.
func TestGoRuntimeIsSilentWhileWorkersWork(t *testing.T) {
	inBothModes(t, func(t *testing.T, mode Mode) {
		fewest := uint64(1 << 62)
		for trial := 0; trial < 5 && fewest > 30; trial++ {
			var before map[string]uint64
			r := &recorder{ready: func(w []Worker) error { before = switchesOfHelpers(w); return nil }}
			r.stopped = func(Result) error {
				woken := uint64(0)
				for task, switches := range switchesOfHelpers(r.workers) {
					woken += switches - before[task]
				}
				if len(before) > 0 {
					fewest = min(fewest, woken)
				}
				return nil
			}
			if err := Run(t.Context(), testTrial("spin", mode, 4, 0, 500*time.Millisecond), nil, r); err != nil {
				t.Fatal(err)
			}
		}
		if fewest > 30 {
			t.Errorf("the threads of the Go runtime were switched out %d times or more in 500 ms, want few", fewest)
		}
	})
}

// switchesOfHelpers counts the switches of the hosts' tasks that are no workers.
func switchesOfHelpers(workers []Worker) map[string]uint64 {
	switches := map[string]uint64{}
	for _, pid := range pidsOf(workers) {
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
		for _, task := range tasks {
			worker := slices.ContainsFunc(workers, func(w Worker) bool { return filepath.Base(task) == fmt.Sprint(w.TID) })
			// A thread may end between the listing and the reading.
			if c, err := readCounters(task + "/"); err == nil && !worker {
				switches[task] = c.Voluntary + c.Involuntary
			}
		}
	}
	return switches
}

func TestObserverErrorEndsTheTrial(t *testing.T) {
	refusal := errors.New("refused")
	r := &recorder{ready: func([]Worker) error { return refusal }}
	if err := Run(t.Context(), testTrial("spin", Processes, 2, 23, 0), nil, r); !errors.Is(err, refusal) {
		t.Errorf("got error %v, want the observer's", err)
	}
	wantGone(t, pidsOf(r.workers))
	if len(r.results) != 0 {
		t.Error("Stopped was called after Ready had failed")
	}
}

func TestNoDescriptorLeaks(t *testing.T) {
	runTrial(t, testTrial("pipe", Threads, 4, 23, 0))
	before := openFDs(t)
	for i := range 24 {
		name := []string{"pipe", "socket", "messaging"}[i%3]
		runTrial(t, testTrial(name, []Mode{Processes, Threads}[i%2], 6, 23, 0))
	}
	if after := openFDs(t); after != before {
		t.Errorf("%d descriptors before 24 trials, %d after", before, after)
	}
}

func TestHostsRunAsTheUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to become another user")
	}
	inBothModes(t, func(t *testing.T, mode Mode) {
		var got []string
		r := &recorder{ready: func(workers []Worker) error {
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", workers[0].PID))
			for line := range strings.Lines(string(status)) {
				if key, value, _ := strings.Cut(line, ":"); key == "Uid" || key == "Gid" || key == "Groups" {
					got = append(got, strings.Join(strings.Fields(value), " "))
				}
			}
			return err
		}}
		user := &Credential{UID: 65534, GID: 65533, Groups: []uint32{65532}}
		if err := Run(t.Context(), testTrial("pipe", mode, 2, 23, 0), user, r); err != nil {
			t.Fatal(err)
		}
		want := []string{"65534 65534 65534 65534", "65533 65533 65533 65533", "65532"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("uid, gid, groups (-want +got):\n%s", diff)
		}
	})
}

// BenchmarkRoundTrip reports a pinned round trip in ns, at its best of some short
// trials, which alternate, and what processes cost in threads.
func BenchmarkRoundTrip(b *testing.B) {
	best := map[Mode]float64{}
	for b.Loop() {
		for _, mode := range []Mode{Processes, Threads} {
			trial := testTrial("pipe", mode, 2, 0, 100*time.Millisecond)
			trial.CPUs = trial.CPUs[len(trial.CPUs)-1:]
			r := &recorder{}
			if err := Run(b.Context(), trial, nil, r); err != nil {
				b.Fatal(err)
			}
			trip := float64(r.results[0].End-r.results[0].Start) / float64(r.results[0].Workers[0].Operations)
			if best[mode] == 0 || trip < best[mode] {
				best[mode] = trip
			}
		}
	}
	b.ReportMetric(best[Processes], "ns/processes-trip")
	b.ReportMetric(best[Threads], "ns/threads-trip")
	b.ReportMetric(best[Processes]/best[Threads], "processes/threads")
}
