package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report"
)

// checkCounts checks what no fault may affect: the counts of each worker that can be
// compared equal the kernel's, and each core's times add up.
func checkCounts(t *testing.T, r *report.Report) {
	t.Helper()
	q := r.Quality
	if q.ComparedWorkers == 0 || q.ReconciledWorkers != q.ComparedWorkers {
		t.Errorf("%d of %d workers reconciled", q.ReconciledWorkers, q.ComparedWorkers)
	}
	if q.AccountingErrorPPM > 1000 {
		t.Errorf("a core's times miss its wall time by %d ppm", q.AccountingErrorPPM)
	}
}

// checkClean also checks that nothing was lost or skipped.
func checkClean(t *testing.T, r *report.Report) {
	t.Helper()
	checkCounts(t, r)
	if clean, reasons := r.Clean(); !clean {
		t.Errorf("not clean: %v", reasons)
	}
}

// firstLine returns the line in which a report that is not clean says so.
func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// processState returns the letter of a process's state, 0 if there is no such process.
func processState(pid int) byte {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	return stat[strings.LastIndexByte(string(stat), ')')+2]
}

// awaitState waits until a process is in that state.
func awaitState(t *testing.T, pid int, state byte) {
	t.Helper()
	await(t, fmt.Sprintf("state %c of process %d", state, pid), func() bool { return processState(pid) == state })
}

// A worker that ends while the tool is stopped is a zombie until the tool continues. Then it is
// named, and nothing is left of it.
func TestZombieWorkerIsNamed(t *testing.T) {
	bpftest.Require(t)
	cmd := tool(t, "run", "futex", "--workers", "2", "--duration", "1h", "--mode", "processes")
	var victim int
	got := finish(t, cmd, func() {
		victim = awaitWork(t, cmd, anyTrial)[0]
		_ = cmd.Process.Signal(unix.SIGSTOP)
		awaitState(t, cmd.Process.Pid, 'T')
		_ = unix.Kill(victim, unix.SIGKILL)
		awaitState(t, victim, 'Z')
		_ = cmd.Process.Signal(unix.SIGCONT)
	})
	got.checkOneSentence(t, fmt.Sprintf("of futex (pid %d) was ended by signal 9 (killed)", victim))
	if got.status != exitFailed || len(got.files(t)) > 0 {
		t.Errorf("status %d, left %v", got.status, got.files(t))
	}
	if state := processState(victim); state != 0 {
		t.Errorf("the worker is still there, in state %q", state)
	}
	checkNoWorkers(t, cmd)
}

// A worker that was stopped for a moment costs nothing; the report mentions it.
func TestStoppedWorkerIsInTheReport(t *testing.T) {
	bpftest.Require(t)
	cmd := tool(t, "run", "futex", "--workers", "2", "--duration", "1200ms", "--rounds", "1", "--mode", "processes")
	got := finish(t, cmd, func() {
		host := awaitWork(t, cmd, anyTrial)[0]
		_ = unix.Kill(host, unix.SIGSTOP)
		awaitState(t, host, 'T')
		time.Sleep(50 * time.Millisecond)
		_ = unix.Kill(host, unix.SIGCONT)
	})
	if got.status != exitDone {
		t.Fatalf("status %d: %s", got.status, got.err)
	}
	r := got.saved(t)
	checkClean(t, r)
	const want = "futex in processes, round 1: " +
		"1 of 2 workers were stopped by a signal for a while, which its figures include"
	if !slices.Contains(r.Warnings, want) || !strings.Contains(strings.Join(strings.Fields(got.out), " "), want) {
		t.Errorf("the report does not say %q: %q", want, r.Warnings)
	}
}

// A child that CMD has not waited for when it ends has ended all the same.
func TestZombieOfTheCommandHasEnded(t *testing.T) {
	bpftest.Require(t)
	got := call(t, "run", "--", "sh", "-c", "true & exec sleep 0.3")
	r := got.saved(t)
	checkClean(t, r)
	tasks := r.Trials[0].Workers
	if len(tasks) != 2 || r.Quality.ReconciledWorkers != 2 {
		t.Errorf("%d tasks, %d reconciled, want sleep and its zombie", len(tasks), r.Quality.ReconciledWorkers)
	}
	for _, task := range tasks {
		if !task.Exited {
			t.Errorf("the report says that %s is alive", task.Comm)
		}
	}
	if got.status != exitDone || len(r.Warnings) > 0 {
		t.Errorf("status %d, warnings %q", got.status, r.Warnings)
	}
}

// If there are more tasks than places, the report says so first and how many places would be
// enough. CMD does not notice.
func TestFullWatchMapIsSaidFirst(t *testing.T) {
	bpftest.Require(t)
	run := func(most int) (invocation, *report.Report) {
		got := call(t, "run", "--max-tasks", strconv.Itoa(most), "--", "sh", "-c",
			"for i in 1 2 3 4 5 6 7 8; do sleep 0.2 & done; wait; exit 5")
		if got.status != 5 {
			t.Errorf("status %d, want that of the command, 5", got.status)
		}
		r := got.saved(t)
		checkCounts(t, r)
		return got, r
	}
	got, r := run(4)
	full := r.Quality.Lost.MapFull
	if full != 5 || len(r.Trials[0].Workers) != 4 {
		t.Errorf("%d tasks found no place and %d are listed, want 5 and 4", full, len(r.Trials[0].Workers))
	}
	text := strings.Join(strings.Fields(got.err), " ") // without its line breaks
	const want = "Not clean: tasks not watched, nor the tasks that they created, because the task map was full: 5 " +
		"(give --max-tasks 32). See Trust."
	if !strings.HasPrefix(text, want) {
		t.Errorf("the report begins with %q, want %q", firstLine(got.err), want)
	}
	if trust := "task map full 5, rows of ended tasks lost 0: give --max-tasks 32"; !strings.Contains(text, trust) {
		t.Errorf("Trust does not say %q", trust)
	}
	if _, r = run(32); r.Quality.Lost.MapFull != 0 || len(r.Trials[0].Workers) != 9 {
		t.Errorf("with as many places as asked for, %d tasks found none and %d are listed",
			r.Quality.Lost.MapFull, len(r.Trials[0].Workers))
	}
}

// While the tool is stopped, it cannot read what the kernel sends about tasks that exit. Their
// rows are kept while there are places, and the rest is counted: every task is listed or
// counted.
func TestRowsOfEndedTasksThatNobodyReads(t *testing.T) {
	bpftest.Require(t)
	const tasks = 1009
	// Its parent is the tool.
	script := fmt.Sprintf("kill -STOP $PPID; i=0; while [ $i -lt %d ]; do (:); i=$((i+1)); done; "+
		"kill -CONT $PPID; exit 5", tasks)
	for _, c := range []struct {
		places int
		lost   bool
	}{{tasks + 1, false}, {100, true}} {
		got := call(t, "run", "--max-tasks", strconv.Itoa(c.places), "--", "sh", "-c", script)
		if got.status != 5 {
			t.Errorf("status %d, want that of the command, 5; %s", got.status, got.err)
		}
		r := got.saved(t)
		checkCounts(t, r)
		lost, listed := r.Quality.Lost, r.Quality.Workers
		dropped := int(lost.DroppedTasks)
		if (dropped > 0) != c.lost || dropped+listed != tasks+1 || lost.MapFull > 0 {
			t.Errorf("%d places: %d tasks listed, %d dropped and %d not watched, want %d together",
				c.places, listed, dropped, lost.MapFull, tasks+1)
		}
		want := fmt.Sprintf("Not clean: ended tasks whose row was lost: %d (give --max-tasks 2048). See Trust.",
			dropped)
		if c.lost && firstLine(got.err) != want {
			t.Errorf("the first line is %q, want %q", firstLine(got.err), want)
		}
		trust := fmt.Sprintf("rows of ended tasks lost %d: give", dropped)
		if c.lost && !strings.Contains(got.err, trust) {
			t.Errorf("the report does not say %q", trust)
		}
	}
}
