package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
)

// started is a tool that runs, and its output so far.
type started struct {
	cmd      *exec.Cmd
	out, err bytes.Buffer
}

func start(t *testing.T, cmd *exec.Cmd) *started {
	t.Helper()
	s := &started{cmd: cmd}
	cmd.Stdout, cmd.Stderr = &s.out, &s.err
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // where the test has failed
	return s
}

// end waits for the tool and reads its report, r.json.
func (s *started) end(t *testing.T) *report.Report {
	t.Helper()
	if err := s.cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, s.err.String())
	}
	r, err := report.ReadFile(filepath.Join(s.cmd.Dir, "r.json"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// checkComplete checks that a report has all trials and all workers, and that nothing was lost.
func checkComplete(t *testing.T, r *report.Report, trials int) {
	t.Helper()
	if q := r.Quality; len(r.Trials) != trials || q.ComparedWorkers != q.Workers || q.Lost.Total() != 0 {
		t.Errorf("%d trials, %d of %d workers are compared, lost %+v",
			len(r.Trials), q.ComparedWorkers, q.Workers, q.Lost)
	}
}

// A tool that is stopped for ten seconds has counted all the same when it continues: what
// happened meanwhile is in its figures, or in the count of what was lost.
func TestStoppedTool(t *testing.T) {
	bpftest.Require(t)
	if testing.Short() {
		t.Skip("ten seconds")
	}
	const stop = 10 * time.Second
	bundled := start(t, tool(t,
		"run", "yield", "--rounds", "1", "--duration", "1s", "-o", "r.json", "--record", "r.rec"))
	program := start(t, faulty(t, "10007 threads, 16 at once"))
	awaitWork(t, bundled.cmd, anyTrial)
	for _, sig := range []unix.Signal{unix.SIGSTOP, unix.SIGCONT} {
		for _, s := range []*started{bundled, program} {
			if err := s.cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
		}
		if sig == unix.SIGSTOP {
			time.Sleep(stop)
		}
	}
	r := bundled.end(t)
	checkHonest(t, r)
	checkComplete(t, r, 2)
	// The workers ended in time, and the interval includes the stop.
	longest := int64(0)
	for _, trial := range r.Trials {
		if trial.DurationNS > int64(stop/2) {
			t.Errorf("a trial of 1 s took %d ns", trial.DurationNS)
		}
		longest = max(longest, trial.Cores[0].WallNS)
	}
	if longest < int64(stop) {
		t.Errorf("no trial was stopped: the longest took %d ns", longest)
	}
	checkRecorded(t, r, stop)
	r = program.end(t)
	checkHonest(t, r)
	listed, left := tasksOf(r)
	if all := listed + left; all < manyTasks || all > manyTasks+fewRuntime {
		t.Errorf("%d tasks are listed and %d lost, of %d", listed, left, manyTasks)
	}
	t.Logf("%d tasks are listed and %d lost", listed, left)
}

// checkRecorded checks that a report's summary of its recording is consistent: what is not in
// the recording is counted as lost.
func checkRecorded(t *testing.T, r *report.Report, atLeast time.Duration) {
	t.Helper()
	rec := r.Recording
	if rec == nil {
		t.Fatalf("there is no recording: %v", r.Warnings)
	}
	if rec.Switches > rec.Counted || rec.Switches+rec.Lost < rec.Counted || rec.WallNS < atLeast.Nanoseconds() {
		t.Errorf("the recording is %+v", rec)
	}
	if clean, reasons := r.Clean(); clean && rec.Lost > 0 {
		t.Errorf("the recording lacks %d events, and the report says %q", rec.Lost, reasons)
	}
}

// Two tools at once, in one directory and in one second, do not disturb each other: each has all
// of its own workers, and its own file.
func TestTwoAtOnce(t *testing.T) {
	bpftest.Require(t)
	args := []string{"run", "futex", "yield", "--rounds", "1", "--duration", "300ms"}
	first, second := tool(t, args...), tool(t, args...)
	second.Dir = first.Dir
	tools := []*started{start(t, first), start(t, second)}
	seen := map[sched.TID]int{}
	names := map[string]bool{}
	for i, s := range tools {
		if err := s.cmd.Wait(); err != nil {
			t.Fatalf("%v: %s", err, s.err.String())
		}
		name := strings.TrimSuffix(strings.TrimPrefix(s.err.String(), "Saved "), "\n")
		names[name] = true
		r, err := report.ReadFile(filepath.Join(first.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		checkHonest(t, r)
		checkComplete(t, r, 4)
		for _, trial := range r.Trials {
			for _, w := range trial.Workers {
				if other, is := seen[w.TID]; is && other != i {
					t.Errorf("task %d is a worker in both reports", w.TID)
				}
				seen[w.TID] = i
			}
		}
	}
	if left := (invocation{dir: first.Dir}).files(t); len(names) != 2 || len(left) != 2 {
		t.Errorf("they say %v, and left %v", names, left)
	}
}

// A clock that is set back an hour during a run changes no figure.
func TestClockSetBack(t *testing.T) {
	bpftest.Require(t)
	run := tool(t, "run", "futex", "--rounds", "1", "--duration", "400ms", "--record", "r.rec")
	began := time.Now().UTC().Truncate(time.Second)
	s := start(t, run)
	awaitWorkers(t, run)
	restore := setClockBack(t, time.Hour)
	err := run.Wait()
	restore()
	if err != nil {
		t.Fatalf("%v: %s", err, s.err.String())
	}
	names, err := filepath.Glob(filepath.Join(run.Dir, "slicetrace-*.json"))
	if err != nil || len(names) != 1 {
		t.Fatalf("reports %v, %v", names, err)
	}
	r, err := report.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	checkHonest(t, r)
	checkComplete(t, r, 2)
	most := time.Minute.Nanoseconds()
	for _, trial := range r.Trials {
		if trial.DurationNS < 300e6 || trial.Cores[0].WallNS > most {
			t.Errorf("a trial of 400 ms took %d ns within %d ns", trial.DurationNS, trial.Cores[0].WallNS)
		}
	}
	checkRecorded(t, r, 800*time.Millisecond)
	if wall := r.Recording.WallNS; wall > most {
		t.Errorf("recorded for %d ns", wall)
	}
	// The report is dated by the clock as it was when the run began.
	if r.Created.Before(began) || r.Created.After(began.Add(time.Minute)) {
		t.Errorf("created %v, the run began %v", r.Created, began)
	}
	if want := "slicetrace-" + r.Created.Format("20060102T150405Z") + ".json"; filepath.Base(names[0]) != want {
		t.Errorf("the report is %s, want %s", names[0], want)
	}
}

// setClockBack sets the machine's clock back. It returns a function that corrects the clock, as
// if it had gone on meanwhile, and is also called at the test's end.
func setClockBack(t *testing.T, by time.Duration) (restore func()) {
	t.Helper()
	clock := func(id int32) time.Duration {
		var now unix.Timespec
		if err := unix.ClockGettime(id, &now); err != nil {
			t.Fatal(err)
		}
		return time.Duration(now.Nano())
	}
	set := func(to time.Duration) error {
		at := unix.NsecToTimespec(to.Nanoseconds())
		return unix.ClockSettime(unix.CLOCK_REALTIME, &at)
	}
	ahead := clock(unix.CLOCK_REALTIME) - clock(unix.CLOCK_MONOTONIC)
	if err := set(clock(unix.CLOCK_MONOTONIC) + ahead - by); err != nil {
		bpftest.Unavailable(t, fmt.Sprintf("the clock cannot be set: %v", err))
	}
	done := false
	restore = func() {
		if done {
			return
		}
		done = true
		if err := set(clock(unix.CLOCK_MONOTONIC) + ahead); err != nil {
			t.Error("the clock is wrong now: ", err)
		}
	}
	t.Cleanup(restore)
	return restore
}
