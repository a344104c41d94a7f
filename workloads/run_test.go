//go:build linux

package workloads

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
)

// failingCase is a plan of the variant spin alone in which trials fail.
type failingCase struct {
	rounds int
	// fails names the trials whose start gate stays shut.
	fails []string
	// lost are the trials without a result, failed is what was reported.
	lost, failed []string
}

// aloneTitles names the trials of alonePlan in the order in which they should run.
func aloneTitles(rounds int) (titles []string) {
	for round := 1; round <= rounds; round++ {
		for i, mode := range []Mode{Processes, Threads} {
			if round%2 == 0 {
				mode = []Mode{Threads, Processes}[i]
			}
			titles = append(titles, fmt.Sprintf("%d spin alone %s", round, mode))
		}
	}
	return titles
}

func titleInRound(trial Trial) string {
	return fmt.Sprintf("%d %s %s", trial.Round, trial.Name(), trial.Mode)
}

// A trial that fails does not affect trials of other series. Its own series is tried once
// more if it has worked before.
func TestPlanGoesOnWithoutWhatFails(t *testing.T) {
	for name, c := range map[string]failingCase{
		"no failure": {rounds: 3},
		"an accident": {
			rounds: 3,
			fails:  []string{"2 spin alone threads"},
			lost:   []string{"2 spin alone threads"},
			failed: []string{"2 spin alone threads"},
		},
		"twice": {
			rounds: 4,
			fails:  []string{"2 spin alone threads", "3 spin alone threads"},
			lost:   []string{"2 spin alone threads", "3 spin alone threads", "4 spin alone threads"},
			failed: []string{"2 spin alone threads", "3 spin alone threads, left out"},
		},
		"never worked": {
			rounds: 3,
			fails:  []string{"1 spin alone processes"},
			lost:   []string{"1 spin alone processes", "2 spin alone processes", "3 spin alone processes"},
			failed: []string{"1 spin alone processes, left out"},
		},
		"in the last round": {
			rounds: 2,
			fails:  []string{"2 spin alone processes"},
			lost:   []string{"2 spin alone processes"},
			failed: []string{"2 spin alone processes"},
		},
		"all": {
			rounds: 2,
			fails:  aloneTitles(1),
			lost:   aloneTitles(2),
			failed: []string{"1 spin alone processes, left out", "1 spin alone threads, left out"},
		},
		"the last of the only round": {
			rounds: 1,
			fails:  []string{"1 spin alone threads"},
			lost:   []string{"1 spin alone threads"},
			failed: []string{"1 spin alone threads"},
		},
	} {
		t.Run(name, func(t *testing.T) { c.check(t) })
	}
}

func (c failingCase) check(t *testing.T) {
	refusal := errors.New("refused")
	o := &scripted{title: titleInRound, fails: map[string]error{}}
	for _, trial := range c.fails {
		o.fails[trial] = refusal
	}
	var failed []string
	err := alonePlan(c.rounds).Run(t.Context(), o, func(f Failure) {
		title := titleInRound(f.Trial)
		if f.Err != refusal {
			t.Errorf("%s failed by %v, want %v", title, f.Err, refusal)
		}
		if f.LeftOut {
			title += ", left out"
		}
		failed = append(failed, title)
	})
	if err != nil {
		t.Error(err)
	}
	var want []string
	for _, trial := range aloneTitles(c.rounds) {
		if !slices.Contains(c.lost, trial) {
			want = append(want, trial)
		}
	}
	if diff := cmp.Diff(want, o.results); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(c.failed, failed); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
}

// alonePlan has the trials of spin with one worker.
func alonePlan(rounds int) Plan {
	w := spin()
	w.variants = func(int) []Variant { return []Variant{{Name: "alone", Workers: 1}} }
	return Plan{Workloads: []Workload{w}, Modes: []Mode{Processes, Threads}, Rounds: rounds, Operations: 23}
}

// scripted is an observer that lets some trials fail and notes the other ones.
type scripted struct {
	fails   map[string]error
	title   func(Trial) string
	results []string
	// ready is called for each trial if it is not nil.
	ready func(Trial)
}

func (s *scripted) Ready(t Trial, _ []Worker) error {
	if s.ready != nil {
		s.ready(t)
	}
	return s.fails[s.title(t)]
}

func (s *scripted) Stopped(r Result) error {
	s.results = append(s.results, s.title(r.Trial))
	return nil
}

// The error of a plan that ends early has the round and the cause. A trial that fails for
// another reason meanwhile is reported too.
func TestPlanEndsEarly(t *testing.T) {
	refusal := errors.New("refused")
	title := func(trial Trial) string { return fmt.Sprint(trial.Round, trial.Mode) }
	t.Run("cancelled between", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		o := &scripted{title: title}
		o.ready = func(trial Trial) {
			if trial.Round == 2 {
				cancel()
			}
		}
		checkEnd(t, alonePlan(3).Run(ctx, o, func(f Failure) { t.Error(f) }), 2, context.Canceled)
	})
	t.Run("cancelled and failed", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		o := &scripted{title: title, fails: map[string]error{"2threads": refusal}}
		o.ready = func(trial Trial) {
			if trial.Round == 2 {
				cancel()
			}
		}
		failures := 0
		checkEnd(t, alonePlan(3).Run(ctx, o, func(f Failure) { failures++ }), 2, context.Canceled)
		if failures != 1 {
			t.Errorf("%d failures are reported, want 1", failures)
		}
	})
	t.Run("failed is nil", func(t *testing.T) {
		o := &scripted{title: title, fails: map[string]error{"1threads": refusal}}
		checkEnd(t, alonePlan(3).Run(t.Context(), o, nil), 1, refusal)
	})
	t.Run("a core goes", func(t *testing.T) {
		bpftest.NeedTwoCores(t, "to lose one")
		all, first := unix.NewCPUSet(mostCPUs), unix.NewCPUSet(mostCPUs)
		if err := unix.SchedGetaffinityDynamic(unix.Getpid(), all); err != nil {
			t.Fatal(err)
		}
		cpus, err := allowedCPUs()
		if err != nil {
			t.Fatal(err)
		}
		first.Set(int(cpus[0]))
		o := &scripted{title: title}
		o.ready = func(trial Trial) {
			if trial.Round == 2 {
				setMainThread(t, first)
			}
		}
		defer setMainThread(t, all)
		err = alonePlan(3).Run(t.Context(), o, func(f Failure) { t.Error(f) })
		checkEnd(t, err, 2, nil)
		want := fmt.Sprintf("core %d is offline or this process may not run on it (cpuset, taskset): "+
			"name cores out of %d", cpus[1], cpus[0])
		if err == nil || err.Error() != want {
			t.Errorf("got error %v, want %q", err, want)
		}
	})
}

// setMainThread sets the main thread's affinity, which decides where the plan may run.
func setMainThread(t *testing.T, set unix.CPUSetDynamic) {
	if err := unix.SchedSetaffinityDynamic(unix.Getpid(), set); err != nil {
		t.Error(err)
	}
}

func checkEnd(t *testing.T, err error, round int, cause error) {
	t.Helper()
	var ended *EndedError
	if !errors.As(err, &ended) || ended.Round != round || cause != nil && !errors.Is(err, cause) {
		t.Errorf("got error %v, want one of round %d that wraps %v", err, round, cause)
	}
}

// A plan gives up after three failures in a row that have taken a minute: after two series
// that hang, a third may work.
func TestPlanGivesUp(t *testing.T) {
	a, b := Trial{Workload: "a", Mode: Threads}, Trial{Workload: "b", Mode: Threads}
	for name, c := range map[string]struct {
		took []time.Duration // 0 for a success
		want bool
	}{
		"nothing yet":     {nil, false},
		"two that hang":   {[]time.Duration{31 * time.Second, 31 * time.Second}, false},
		"three that hang": {[]time.Duration{31 * time.Second, 31 * time.Second, 31 * time.Second}, true},
		"many, at once":   {[]time.Duration{time.Second, time.Second, time.Second, time.Second}, false},
		"a success":       {[]time.Duration{31 * time.Second, 31 * time.Second, 0, 31 * time.Second}, false},
	} {
		var h history
		for i, took := range c.took {
			trial := []Trial{a, b}[i%2]
			if took == 0 {
				h.worked(trial)
			} else {
				h.failed(trial, took)
			}
		}
		if got := h.givesUp(); got != c.want {
			t.Errorf("%s: gives up: %v, want %v", name, got, c.want)
		}
	}
}
