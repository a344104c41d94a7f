//go:build linux

package workloads

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// stopper is an observer that stops the process of worker 1 while it works, and continues
// it after pause, if that is not 0.
type stopper struct {
	recorder
	pause time.Duration
	// from is when it was stopped, until is when it was continued.
	from, until time.Duration
	over        sync.WaitGroup
	err         error
}

func (s *stopper) Ready(t Trial, workers []Worker) error {
	s.over.Go(func() {
		time.Sleep(50 * time.Millisecond)
		s.from = time.Duration(monotonic())
		s.err = unix.Kill(int(workers[1].PID), unix.SIGSTOP)
		// A worker that waits for a core stops when it gets one, unless it is continued before.
		for began := time.Now(); s.err == nil && !isStopped(workers[1]); time.Sleep(time.Millisecond) {
			if time.Since(began) > waitLimit {
				s.err = fmt.Errorf("worker 1 was not stopped within %v", waitLimit)
			}
		}
		if s.err == nil && s.pause > 0 {
			time.Sleep(s.pause)
			s.until = time.Duration(monotonic())
			s.err = unix.Kill(int(workers[1].PID), unix.SIGCONT)
		}
	})
	return s.recorder.Ready(t, workers)
}

// run runs the trial. On a busy machine it can be over before the worker is stopped and
// continued, or before any worker has had a core for long enough: such trials show nothing,
// and the trial is run again with twice the duration.
func (s *stopper) run(t *testing.T, trial Trial) Result {
	t.Helper()
	for ; trial.Duration < time.Minute; trial.Duration *= 2 {
		s.results = nil
		err := Run(t.Context(), trial, nil, s)
		s.over.Wait()
		var idle *idleError
		if errors.As(err, &idle) {
			t.Logf("a trial of %v: %v", trial.Duration, err)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		r := s.results[0]
		if s.err == nil && s.until < r.Workers[1].End {
			return r
		}
		if s.err != nil && !errors.Is(s.err, unix.ESRCH) {
			t.Fatal(s.err)
		}
		t.Logf("a trial of %v was over before the worker was stopped and continued", trial.Duration)
	}
	t.Fatal("in no trial could the worker be stopped and continued before the end")
	return Result{}
}

// A worker that is stopped for a moment goes on, whatever it was waiting for: bodies call
// again if a signal interrupts a system call.
func TestStoppedWorkerGoesOn(t *testing.T) {
	for _, w := range Catalogue() {
		if w.fatal {
			continue
		}
		t.Run(w.Name, func(t *testing.T) {
			trial := variantTrial(w, w.Variants(1)[0], Processes, 0)
			trial.Workers, trial.Duration = max(2, trial.Workers), 250*time.Millisecond
			s := &stopper{pause: 50 * time.Millisecond}
			r := s.run(t, trial)
			if !slices.Equal(r.Paused, []int{1}) {
				t.Errorf("workers %v are reported as stopped, want worker 1", r.Paused)
			}
			if r.Workers[1].Operations == 0 && r.operations() == 0 {
				t.Error("no operation was done")
			}
		})
	}
}

// A stop that is over before the gate opens is in no figure.
func TestStopBeforeTheWorkIsNoPause(t *testing.T) {
	rt := atStartGate(t, testTrial("spin", Processes, 2, 0, 100*time.Millisecond))
	stopped := func() bool {
		rt.hosts.mu.Lock()
		defer rt.hosts.mu.Unlock()
		return len(rt.hosts.stopped) > 0
	}
	for _, signal := range []unix.Signal{unix.SIGSTOP, unix.SIGCONT} {
		if err := unix.Kill(rt.hosts.pids[1], signal); err != nil {
			t.Fatal(err)
		}
		await(t, "the effect of "+unix.SignalName(signal), func() bool { return stopped() == (signal == unix.SIGSTOP) })
	}
	var r recorder
	if err := rt.run(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	if paused := r.results[0].Paused; len(paused) > 0 {
		t.Errorf("workers %v are reported as stopped while they worked", paused)
	}
}

func TestStopOfAProcessPausesItsThreads(t *testing.T) {
	s := &stopper{pause: 50 * time.Millisecond}
	r := s.run(t, testTrial("pipe", Threads, 4, 0, 250*time.Millisecond))
	if !slices.Equal(r.Paused, []int{0, 1, 2, 3}) {
		t.Errorf("workers %v are reported as stopped, want all", r.Paused)
	}
	if r := runTrial(t, testTrial("pipe", Threads, 4, 23, 0)); len(r.Paused) > 0 {
		t.Errorf("workers %v are reported as stopped, but none was", r.Paused)
	}
}

// A worker that nobody continues ends the trial, however long the trial may last.
func TestWorkerThatStaysStoppedIsNamed(t *testing.T) {
	if testing.Short() {
		t.Skip("takes the time for which a worker may be stopped")
	}
	inBothModes(t, func(t *testing.T, mode Mode) {
		t.Parallel()
		s := &stopper{}
		err := Run(t.Context(), testTrial("futex", mode, 2, 1<<40, 0), nil, s)
		ended := time.Duration(monotonic())
		s.over.Wait()
		if s.err != nil {
			t.Fatal(s.err)
		}
		if took := ended - s.from; took < stopLimit {
			t.Errorf("the trial ended after %v, want %v", took, stopLimit)
		}
		who := "worker 1 of futex"
		if mode == Threads {
			who = "all 2 workers of futex"
		}
		want := fmt.Sprintf("run futex in %s: host of %s (pid %d) was stopped by SIGSTOP and not continued within %v: ",
			mode, who, s.workers[1].PID, stopLimit)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got error %v, want %q", err, want)
		}
		wantGone(t, pidsOf(s.workers))
		if len(s.results) != 0 {
			t.Error("a trial with a stopped worker gave a result")
		}
	})
}
