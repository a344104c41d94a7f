//go:build linux

package workloads

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
)

// Workers that add at the same time on two cores lose additions. The scheduler may let them
// run one after the other instead, so additions must be lost in one of several trials.
func TestUnsynchronisedCounterLosesUpdates(t *testing.T) {
	bpftest.NeedTwoCores(t, "on which workers run at once")
	inBothModes(t, func(t *testing.T, mode Mode) {
		trial := variantTrial(counter(), counter().Variants(1)[0], mode, 0)
		const trials = 10
		for n := range trials {
			r := runTrial(t, trial)
			if r.Figures[0].Value < r.operations() {
				return
			}
			t.Logf("trial %d: none of %d additions was lost", n+1, r.operations())
		}
		t.Errorf("no addition was lost in %d trials", trials)
	})
}

// The kernel gives a task of nice 5 a third of the weight of one of nice 0.
func TestNiceWorkersGetTheirShare(t *testing.T) {
	inBothModes(t, func(t *testing.T, mode Mode) {
		trial := variantTrial(spin(), spin().Variants(1)[3], mode, 0)
		trial.Duration = 400 * time.Millisecond
		var ratios []float64
		for range 5 {
			var runtime [2]time.Duration
			for _, w := range runTrial(t, trial).Workers {
				if want := 5 * (w.Index % 2); w.Nice != want {
					t.Fatalf("worker %d has nice level %d, want %d", w.Index, w.Nice, want)
				}
				runtime[w.Index%2] += w.After.Runtime - w.Before.Runtime
			}
			ratios = append(ratios, float64(runtime[0])/float64(runtime[1]))
		}
		if typical := median(ratios); typical < 2 || typical > 5 {
			t.Errorf("nice 0 ran %.1f times as long as nice 5, want about 3", ratios)
		}
	})
}

func TestVariantsKeepToTheirCores(t *testing.T) {
	for _, w := range Catalogue() {
		inAllVariants(t, w, func(t *testing.T, v Variant, mode Mode) {
			trial := variantTrial(w, v, mode, 23)
			r := runTrial(t, trial)
			if v.Workers > 0 && len(r.Workers) != v.Workers {
				t.Errorf("%d workers, want %d", len(r.Workers), v.Workers)
			}
			for _, worker := range r.Workers {
				if v.firstCore && worker.CPU != trial.CPUs[0] {
					t.Errorf("worker %d is on core %d, want %d", worker.Index, worker.CPU, trial.CPUs[0])
				}
			}
		})
	}
}

// One core is enough for every variant, and two workers for each variant whose number of
// workers can be chosen.
func TestEveryVariantOnOneCore(t *testing.T) {
	cpus, err := allowedCPUs()
	if err != nil {
		t.Fatal(err)
	}
	p := Plan{
		Workloads: Catalogue(), Modes: []Mode{Processes, Threads}, Rounds: 1, Duration: shortest,
		Workers: 2, CPUs: cpus[len(cpus)-1:],
	}
	r := &recorder{}
	if err := p.Run(t.Context(), r, nil); err != nil {
		t.Fatal(err)
	}
	for _, result := range r.results {
		for _, w := range result.Workers {
			if w.CPU != p.CPUs[0] {
				t.Errorf("%s: worker %d is on core %d, want %d", result.Trial.Name(), w.Index, w.CPU, p.CPUs[0])
			}
		}
	}
	if want := len(p.Trials()); len(r.results) != want {
		t.Errorf("%d trials were reported, want %d", len(r.results), want)
	}
}

func TestManyWorkersOfEveryKind(t *testing.T) {
	for _, w := range []Workload{socket(), futex(), messaging(), yield(), spawn(), counter(), crash()} {
		for _, workers := range []int{64, 256} {
			trial := variantTrial(w, w.Variants(2)[0], Threads, 7)
			trial.Workers = workers
			if r := runTrial(t, trial); r.operations() == 0 || len(r.Workers) != workers {
				t.Errorf("%s has %d workers, want %d, and they did %d operations",
					w.Name, len(r.Workers), workers, r.operations())
			}
		}
	}
}

// A trial without a single operation has measured nothing, and must not be reported as a
// result.
func TestTooShortATrialIsAnError(t *testing.T) {
	// On a busy machine a worker can be waiting for its core at that moment.
	want := regexp.MustCompile("1ns were too short to complete one operation: " +
		"(give a longer duration|one is ready to run and gets no core)")
	for _, name := range []string{"pipe", "futex", "messaging", "spin", "yield"} {
		r := &recorder{}
		err := Run(t.Context(), testTrial(name, Threads, 2, 0, time.Nanosecond), nil, r)
		if err == nil || !want.MatchString(err.Error()) {
			t.Errorf("%s: got error %v", name, err)
		}
		if len(r.results) > 0 {
			t.Errorf("%s: figures were reported", name)
		}
		wantGone(t, pidsOf(r.workers))
	}
}

func TestUnknownVariantIsAnError(t *testing.T) {
	trial := testTrial("spin", Threads, 2, 23, 0)
	trial.Variant = "sideways"
	err := Run(t.Context(), trial, nil, &recorder{})
	if err == nil || !strings.Contains(err.Error(), `spin has no variant "sideways"`) {
		t.Errorf("got error %v, want one that names the variant", err)
	}
}

func TestScaleVariantsDoubleUpToTwiceTheCores(t *testing.T) {
	for cores, want := range map[int]string{
		1: "1 2 6", 2: "1 2 4 12", 3: "1 2 4 18", 8: "1 2 4 8 16 48", 64: "1 2 4 8 16 32 64 128 384",
	} {
		var names []string
		for _, v := range scale().Variants(cores) {
			names = append(names, v.Name)
			if fmt.Sprint(v.Workers) != v.Name {
				t.Errorf("variant %s has %d workers", v.Name, v.Workers)
			}
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("on %d cores the variants are %s, want %s", cores, got, want)
		}
	}
}

func TestShareDividesTheWorkWhole(t *testing.T) {
	for _, workers := range []int{1, 3, 64} {
		for want, trial := range map[int64]Trial{
			23: {Operations: 23}, 3 * 10007: {Duration: 10007 * time.Microsecond},
		} {
			trial.Workers = workers
			var sum int64
			for i := range workers {
				sum += trial.share(Variant{stretch: 3}, i)
			}
			if sum != want {
				t.Errorf("%d workers share %d operations, want %d", workers, sum, want)
			}
		}
	}
}

// A single worker never waits for another one.
func TestOneWorkerOfEveryKind(t *testing.T) {
	for _, w := range []Workload{spin(), yield(), counter()} {
		inAllVariants(t, w, func(t *testing.T, v Variant, mode Mode) {
			trial := variantTrial(w, v, mode, 23)
			trial.Workers = 1
			r := runTrial(t, trial)
			voluntary, _ := switches(r.Workers[0])
			if r.operations() != 23 || voluntary != 1 {
				t.Errorf("%d operations, %d voluntary switches, want 23 and 1", r.operations(), voluntary)
			}
		})
	}
}

// A trial in which no worker completes an operation is run three times at most.
func TestIdleTrialIsRunAgain(t *testing.T) {
	attempts := 0
	r := &recorder{ready: func([]Worker) error { attempts++; return nil }}
	p := Plan{}
	trial := testTrial("spin", Threads, 2, 0, time.Nanosecond)
	if err := p.runRetryingIdle(t.Context(), trial, r); err == nil || attempts != 3 {
		t.Errorf("%d attempts, then error %v, want 3 and one", attempts, err)
	}
	attempts, trial.Operations = 0, 23
	if err := p.runRetryingIdle(t.Context(), trial, r); err != nil || attempts != 1 || r.results[0].Trial.Attempt != 1 {
		t.Errorf("%d attempts, then error %v, want 1 and none", attempts, err)
	}
	// In the first attempt only, the workers are stopped until the deadline is over.
	attempts, trial.Operations, trial.Duration = 0, 0, 100*time.Millisecond
	r.ready = func(workers []Worker) error {
		if attempts++; attempts > 1 {
			return nil
		}
		err := unix.Kill(int(workers[0].PID), unix.SIGSTOP)
		for _, w := range workers {
			awaitStop(t, w)
		}
		time.AfterFunc(10*trial.Duration, func() { _ = unix.Kill(int(workers[0].PID), unix.SIGCONT) })
		return err
	}
	err := p.runRetryingIdle(t.Context(), trial, r)
	if err != nil || len(r.results) != 2 || r.results[1].Trial.Attempt != attempts || attempts < 2 {
		t.Errorf("%d attempts, results %+v, then error %v", attempts, r.results, err)
	}
}

// awaitStop waits until a worker that was sent SIGSTOP is stopped.
func awaitStop(t *testing.T, w Worker) {
	t.Helper()
	await(t, fmt.Sprintf("a stop of worker %d", w.Index), func() bool { return isStopped(w) })
}

// isStopped reports whether a signal has stopped a worker. It is true for one that has ended.
func isStopped(w Worker) bool {
	stat, err := readProc(fmt.Sprintf("/proc/%d/task/%d/stat", w.PID, w.TID))
	state, _ := parseStat(stat)
	return err != nil || state == 'T'
}

func TestMemoryOfHosts(t *testing.T) {
	const workers, private = 4, 256 * kib
	inBothModes(t, func(t *testing.T, mode Mode) {
		trial := variantTrial(workingset(), workingset().Variants(1)[1], mode, 23)
		trial.Workers = workers
		m := runTrial(t, trial).Memory
		if m == nil {
			t.Fatal("memory was not read")
		}
		processes := workers
		if mode == Threads {
			processes = 1
		}
		if m.Processes != processes {
			t.Errorf("%d processes, want %d", m.Processes, processes)
		}
		// The memory that each worker has mapped is counted, and nothing is counted twice.
		if m.Private < workers*private || m.PSS < m.Private || m.PSS > 1<<30 {
			t.Errorf("private %d, PSS %d bytes with buffers of %d", m.Private, m.PSS, workers*private)
		}
		// A page table takes a page, and every process has at least one on each level.
		if page := int64(os.Getpagesize()); m.PageTables < int64(processes)*page || m.PageTables%page != 0 {
			t.Errorf("%d bytes of page tables in %d processes", m.PageTables, processes)
		}
	})
}

func TestMemoryThatCannotBeReadIsAbsent(t *testing.T) {
	if m := readMemory([]Worker{{PID: 1 << 30}}); m != nil {
		t.Errorf("the memory of no process is %+v", m)
	}
}
