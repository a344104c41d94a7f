//go:build linux

package workloads

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// stopWorker stops the process of worker 1 when it works, and continues it after
// that time, if it is not 0.
func stopWorker(t *testing.T, pause time.Duration) *recorder {
	return &recorder{ready: func(workers []Worker) error {
		victim := workers[1].PID
		time.AfterFunc(50*time.Millisecond, func() {
			if err := unix.Kill(victim, unix.SIGSTOP); err != nil {
				t.Error(err)
			}
			if pause == 0 {
				return
			}
			time.Sleep(pause)
			if err := unix.Kill(victim, unix.SIGCONT); err != nil {
				t.Error(err)
			}
		})
		return nil
	}}
}

// A worker that is stopped for a moment goes on, whatever it waited for: the
// signal ends no body's system call for good.
func TestStoppedWorkerGoesOn(t *testing.T) {
	for _, w := range Catalogue() {
		if w.fatal {
			continue
		}
		for _, mode := range []Mode{Processes, Threads} {
			v := w.Variants(1)[0]
			if !v.runsIn(mode) {
				continue
			}
			t.Run(w.Name+" "+string(mode), func(t *testing.T) {
				r := stopWorker(t, 100*time.Millisecond)
				trial := testForm(w, v, mode, 0)
				trial.Workers, trial.Duration = max(2, trial.Workers), 200*time.Millisecond
				if err := Run(t.Context(), trial, nil, r); err != nil {
					t.Fatal(err)
				}
				got := r.results[0]
				want := []int{1}
				if mode == Threads {
					want = want[:0]
					for i := range trial.Workers {
						want = append(want, i)
					}
				}
				if !slices.Equal(got.Paused, want) {
					t.Errorf("workers %v are said to have been stopped, want %v", got.Paused, want)
				}
				if got.End-got.Start < 150*time.Millisecond {
					t.Errorf("the trial lasted %v, and a worker stood still until 150 ms", got.End-got.Start)
				}
			})
		}
	}
}

// One that nobody continues ends the trial, however long that may last.
func TestWorkerThatStaysStoppedIsNamed(t *testing.T) {
	if testing.Short() {
		t.Skip("takes the time for which a worker may be stopped")
	}
	inBothModes(t, func(t *testing.T, mode Mode) {
		t.Parallel()
		r := stopWorker(t, 0)
		began := time.Now()
		err := Run(t.Context(), testTrial("futex", mode, 2, 1<<40, 0), nil, r)
		if len(r.workers) == 0 {
			t.Fatal(err)
		}
		if took := time.Since(began); took < stopLimit || took > stopLimit+3*time.Second {
			t.Errorf("the trial ended after %v, want some more than %v", took, stopLimit)
		}
		who := "worker 1 of futex"
		if mode == Threads {
			who = "all 2 workers of futex"
		}
		want := fmt.Sprintf("run futex in %s: host of %s (pid %d) was stopped by SIGSTOP and not continued within %v: ",
			mode, who, r.workers[1].PID, stopLimit)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got error %v, want %q", err, want)
		}
		wantGone(t, pidsOf(r.workers))
		if len(r.results) != 0 {
			t.Error("a trial whose worker stands still was reported as stopped")
		}
	})
}
