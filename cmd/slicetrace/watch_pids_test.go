package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
)

// A process that ends while another is watched is left out from then on. The end of the last one ends top.
func TestTopOfProcessesThatEnd(t *testing.T) {
	bpftest.Require(t)
	first, second := restless(t, "st-restless-e"), restless(t, "st-restless-f")
	a, b := first.Process.Pid, second.Process.Pid
	intervals := follow(t, func() { end(t, first) }, "--pid", fmt.Sprint(a, ",", b))
	checkOnly(t, "the first interval", intervals[:1], a, b)
	checkOnly(t, "the last interval", intervals[3:], b)
	for _, more := range []string{"--pid", "--wait --pid"} {
		cmd := restless(t, "st-restless-i")
		pid := cmd.Process.Pid
		intervals, said := followed(t, func() { end(t, cmd) }, append(strings.Fields(more), strconv.Itoa(pid))...)
		invocation{err: said}.checkOneSentence(t, fmt.Sprintf("process %d has ended", pid))
		checkOnly(t, more, intervals, pid)
		last := intervals[len(intervals)-1].System.Tasks
		if len(intervals) < 2 || len(last) != 1 || !last[0].Exited {
			t.Errorf("%s: the last of %d intervals has %+v", more, len(intervals), last)
		}
	}
}

// awaitLightWay waits until a tool has a program on every switch.
func awaitLightWay(t *testing.T, before int) {
	t.Helper()
	await(t, "the tool's programs", func() bool { return len(bpftest.Programs(t)) > before })
}

// The end of a process ends a long interval too, wherever it comes: after slicetrace has looked for the
// process, a part of an interval is left.
func TestEndOfAProcessEndsTheInterval(t *testing.T) {
	bpftest.Require(t)
	for _, args := range []string{"top --format jsonl --interval 10m", "run --every 10m -o report.json"} {
		cmd := restless(t, "st-restless-j")
		pid := cmd.Process.Pid
		before := len(bpftest.Programs(t))
		tool := tool(t, append(strings.Fields(args), "--pid", strconv.Itoa(pid))...)
		got := finish(t, tool, func() {
			awaitLightWay(t, before)
			time.Sleep(300 * time.Millisecond) // mostly within the interval; before it, the same is to be shown
			end(t, cmd)
		})
		if got.status != exitDone {
			t.Fatalf("%s: status %d: %s", args, got.status, got.err)
		}
		want := fmt.Sprintf("process %d has ended", pid)
		var intervals []report.Trial
		if strings.HasPrefix(args, "top") {
			got.checkOneSentence(t, want)
			intervals = intervalsOf(t, got.out)
		} else {
			r := got.saved(t)
			intervals = r.Trials
			if len(r.Warnings) != 1 || !strings.HasSuffix(r.Warnings[0], "since "+want) {
				t.Errorf("warnings %q", r.Warnings)
			}
		}
		if len(intervals) != 1 || intervals[0].DurationNS > waitLimit.Nanoseconds() {
			t.Errorf("%s: %d intervals, the first of %d ns", args, len(intervals), intervals[0].DurationNS)
		}
	}
}

// The screen stays, and says that the process has ended, until its user leaves it.
func TestScreenOfAProcessThatEnds(t *testing.T) {
	bpftest.Require(t)
	cmd := restless(t, "st-restless-k")
	top := tool(t, "top", "--interval", "200ms", "--pid", strconv.Itoa(cmd.Process.Pid))
	top.Env = append(top.Env, "TERM=xterm")
	x := openTerminal(t)
	x.read()
	x.start(t, top)
	await(t, "the process", func() bool { return strings.Contains(x.shown(), "st-restless-k") })
	end(t, cmd)
	want := fmt.Sprintf("process %d has ended: this is the last interval", cmd.Process.Pid)
	await(t, "its end", func() bool { return strings.Contains(x.shown(), want) })
	x.press(t, 'q')
	if status := ended(t, top); status != exitDone {
		t.Errorf("status %d: %q", status, x.shown())
	}
}

// sleeper starts a process that does nothing.
func sleeper(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("sleep", "1000")
	startRestless(t, cmd)
	return cmd
}

// endSeen ends a process, and waits until that is noted.
func endSeen(t *testing.T, n *namedProcesses, cmd *exec.Cmd) {
	t.Helper()
	end(t, cmd)
	await(t, "the end of a process", func() bool {
		n.look()
		return slices.ContainsFunc(n.all, func(p *namedProcess) bool {
			return p.pid == cmd.Process.Pid && p.stage == processEnded
		})
	})
}

// Processes are told apart from later ones of their numbers, and are over when each has come and gone.
func TestNamedProcesses(t *testing.T) {
	nothing := &report.System{}
	first, second := sleeper(t), sleeper(t)
	a, b := first.Process.Pid, second.Process.Pid
	n := newNamedProcesses([]int{b, a, b})
	if err := n.find(true); err != nil {
		t.Fatal(err)
	}
	if n.turn(nothing) || !n.wants(sched.PID(a)) || !n.wants(sched.PID(b)) || n.wants(1) {
		t.Error("not both processes are watched")
	}
	endSeen(t, n, first)
	if n.over.Err() != nil || !n.wants(sched.PID(a)) {
		t.Error("the end of a process is not within an interval that has it")
	}
	if n.turn(nothing) || n.wants(sched.PID(a)) || !n.wants(sched.PID(b)) {
		t.Error("the number of a process that has ended is still wanted")
	}
	endSeen(t, n, second)
	if n.over.Err() == nil || !n.turn(nothing) || n.gone() != "all 2 processes have ended" {
		t.Errorf("not over, or said to be: %s", n.gone())
	}
	if err := newNamedProcesses([]int{a}).find(true); err == nil || !strings.Contains(err.Error(), "no such process") {
		t.Errorf("a process that is gone: %v", err)
	}
	if newNamedProcesses(nil).turn(nothing) || !newNamedProcesses(nil).wants(1) {
		t.Error("without --pid, not every process is wanted, or all have ended")
	}
}

// A process that is waited for is found when it comes, also if it has gone by then.
func TestNamedProcessesThatCome(t *testing.T) {
	cmd := sleeper(t)
	pid := cmd.Process.Pid
	n := newNamedProcesses([]int{pid}) // as if it had not been there
	if n.turn(&report.System{}) || n.all[0].stage != processLives {
		t.Fatalf("state %d after it came", n.all[0].stage)
	}
	endSeen(t, n, cmd)
	if n.over.Err() == nil || !n.turn(&report.System{}) {
		t.Error("its end is not seen")
	}
	n = newNamedProcesses([]int{pid})
	if err := n.find(false); err != nil {
		t.Fatal(err)
	}
	if n.turn(&report.System{}) || n.all[0].stage != processAwaited {
		t.Errorf("state %d before it came", n.all[0].stage)
	}
	seen := &report.System{Ended: []report.EndedTasks{{PID: sched.PID(pid)}}}
	if !n.turn(seen) || n.wants(sched.PID(pid)) {
		t.Error("that it came and went is not seen")
	}
}

// The number of a thread is none of a process.
func TestNamedThread(t *testing.T) {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range threads {
		tid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			t.Fatal(err)
		}
		if tid == os.Getpid() {
			continue
		}
		for _, all := range []bool{true, false} {
			err := newNamedProcesses([]int{tid}).find(all)
			if err == nil || errors.Is(err, unix.ESRCH) || !strings.Contains(err.Error(), "that is a thread") {
				t.Errorf("a thread's number: %v", err)
			}
		}
		return
	}
	t.Fatal("the test has a single thread")
}
