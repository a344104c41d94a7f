//go:build linux

package workloads

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
)

func TestSpinSharesOneCore(t *testing.T) {
	trial := testTrial("spin", Threads, 3, 0, 300*time.Millisecond)
	trial.CPUs = trial.CPUs[:1]
	r := runTrial(t, trial)
	var busy time.Duration
	for _, w := range r.Workers {
		if w.CPU != trial.CPUs[0] {
			t.Errorf("worker %d is reported on core %d, want %d", w.Index, w.CPU, trial.CPUs[0])
		}
		busy += w.After.Runtime - w.Before.Runtime
	}
	// busy includes every worker's work at the gates. Other tasks may take most of the core.
	if wall := r.End - r.Start; busy > wall+20*time.Millisecond || busy < wall/50 {
		t.Errorf("three workers on one core ran for %v within %v", busy, wall)
	}
}

func TestDeadlineIsKeptByAll(t *testing.T) {
	for _, w := range Catalogue() {
		if w.fixedWork {
			continue
		}
		t.Run(w.Name, func(t *testing.T) {
			inBothModes(t, func(t *testing.T, mode Mode) { checkDeadline(t, w, mode) })
		})
	}
}

func checkDeadline(t *testing.T, w Workload, mode Mode) {
	trial := variantTrial(w, w.Variants(1)[0], mode, 0)
	trial.Duration = 200 * time.Millisecond
	opened := time.Duration(monotonic())
	r, delayed := runUnthrottled(t, trial, w.paired || w.Name == "workingset")
	checkStamps(t, r, opened)
	want := trial.Duration
	if w.fatal && mode == Threads {
		want /= 2
	}
	took, least, most := r.End-r.Start, want-50*time.Millisecond-delayed, want+150*time.Millisecond+delayed
	if took < least || took > most {
		t.Errorf("took %v from first start to last end, want about %v, and other work delayed it by %v",
			took, want, delayed)
	}
	if r.operations() == 0 {
		t.Errorf("no operation in %v", trial.Duration)
	}
}

// checkStamps checks that a trial's times are after opened and before now, and that each
// worker's are within the trial's.
func checkStamps(t *testing.T, r Result, opened time.Duration) {
	t.Helper()
	if r.Start < opened || r.End > time.Duration(monotonic()) {
		t.Errorf("the trial lasted from %v to %v, which is not within the call", r.Start, r.End)
	}
	for _, w := range r.Workers {
		if w.Start < r.Start || w.End > r.End || w.Start > w.End {
			t.Errorf("worker %d worked from %v to %v, the trial lasted from %v to %v",
				w.Index, w.Start, w.End, r.Start, r.End)
		}
	}
}

// runUnthrottled runs a trial and returns for how long other work can have delayed a worker
// of it: how long it was runnable without a core, which the kernel counts, and how long a
// hypervisor took cores away. In some workloads workers are dependent: they wait for each
// other. If no worker survives, there is no such count: then it is how
// long other work used cores. The kernel does not count the time for which a control group's
// quota is used up: such a trial is run again, at most twice.
func runUnthrottled(t *testing.T, trial Trial, dependent bool) (r Result, delayed time.Duration) {
	t.Helper()
	for attempt := 1; ; attempt++ {
		throttled, stolen, others := cgroupsOf(os.Getpid()).throttled(), cpuTimes(t).steal, otherWork(t)
		r = runTrial(t, trial)
		delayed = otherWork(t) - others
		if i := slices.IndexFunc(r.Workers, func(w WorkerResult) bool { return !w.Died }); i >= 0 {
			delayed = cpuTimes(t).steal - stolen
			longest, sum := time.Duration(0), time.Duration(0)
			for _, w := range r.Workers[i:] {
				delay := w.After.RunDelay - w.Before.RunDelay
				longest, sum = max(longest, delay), sum+delay
			}
			if dependent { // the delays of one worker and the next add up
				longest = sum
			}
			delayed += longest
		}
		if maps.Equal(throttled, cgroupsOf(os.Getpid()).throttled()) || attempt == 3 {
			return r, delayed
		}
		t.Logf("attempt %d was throttled by a control group's quota", attempt)
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
			tids, pids := map[TID]bool{}, map[PID]bool{}
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
				t.Errorf("%d workers have %d threads in %d processes, want %d in %d",
					n, len(tids), len(pids), n, processes)
			}
		}
	})
}

// At the gates a worker has the identity that the observer was told, is blocked, and may run
// on its cores only.
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
			if err := unix.SchedGetaffinityDynamic(int(w.TID), set); err != nil {
				return err
			}
			want := trial.CPUs[w.Index/2%len(trial.CPUs)]
			if set.Count() != 1 || !set.IsSet(int(want)) || w.CPU != want {
				return fmt.Errorf("worker %d may run on %d cores and names core %d, want core %d",
					w.Index, set.Count(), w.CPU, want)
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

// Go's monitor thread would wake 100 times a second in every host, in every trial. On a busy
// machine it may wake some times before it sees that it is not needed.
func TestGoRuntimeIsSilentWhileWorkersWork(t *testing.T) {
	const few = 30 // in 500 ms
	inBothModes(t, func(t *testing.T, mode Mode) {
		var all []uint64
		for range 5 {
			var before map[string]uint64
			woken := uint64(0)
			r := &recorder{ready: func(w []Worker) error { before = switchesOfHelpers(w); return nil }}
			r.stopped = func(Result) error {
				for task, switches := range switchesOfHelpers(r.workers) {
					woken += switches - before[task]
				}
				return nil
			}
			if err := Run(t.Context(), testTrial("spin", mode, 4, 0, 500*time.Millisecond), nil, r); err != nil {
				t.Fatal(err)
			}
			if len(before) == 0 {
				t.Fatal("the hosts have no threads of the Go runtime")
			}
			all = append(all, woken)
		}
		if typical := median(all); typical > few {
			t.Errorf("the threads of the Go runtime were switched out %v times in 500 ms, want at most %d", all, few)
		}
		t.Log(all)
	})
}

// switchesOfHelpers counts the switches of the hosts' tasks that are not workers.
func switchesOfHelpers(workers []Worker) map[string]uint64 {
	switches := map[string]uint64{}
	for _, pid := range pidsOf(workers) {
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
		for _, task := range tasks {
			tid := filepath.Base(task)
			worker := slices.ContainsFunc(workers, func(w Worker) bool { return tid == fmt.Sprint(w.TID) })
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
		bpftest.Unavailable(t, "needs root to become another user")
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

// BenchmarkRoundTrip reports the time of a round trip on one core in ns, the shortest of
// several short trials in alternating modes, and the ratio of processes to threads.
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
