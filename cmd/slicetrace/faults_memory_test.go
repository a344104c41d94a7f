package main

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
)

const mib = 1 << 20

// If the kernel has no memory for the maps, the tool says so. Sometimes one of its threads
// needs memory at the same time, and the kernel kills the tool instead: that is the kernel's
// choice, not the tool's, and the only reason for another attempt.
func TestNoMemoryForTheMaps(t *testing.T) {
	bpftest.Require(t)
	before := bpftest.Programs(t)
	group := bpftest.NewGroup(t, "memory")
	group.LimitMemory(t, 112*mib)
	const sentence = "memory for the maps: the kernel has none, or this control group may have no more: " +
		"raise the group's limit on memory, or watch fewer tasks"
	const attempts = 9
	said := false
	for attempt := 1; attempt <= attempts && !said; attempt++ {
		cmd := tool(t, "run", "--max-tasks", fmt.Sprint(1<<20), "--", "true") // 128 MiB for their records
		group.Hold(t, cmd)
		got := finish(t, cmd)
		if got.out != "" || len(got.files(t)) > 0 {
			t.Errorf("standard output %q, left %v", got.out, got.files(t))
		}
		if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signaled() {
			if status.Signal() != syscall.SIGKILL {
				t.Fatalf("the tool died of %v, which is not the kernel's way to get memory: %s",
					status.Signal(), got.err)
			}
			t.Logf("attempt %d of %d: the kernel killed the tool for want of memory", attempt, attempts)
			continue
		}
		said = true
		got.checkOneSentence(t, sentence)
		if got.status != exitFailed {
			t.Errorf("status %d", got.status)
		}
	}
	if !said {
		t.Error("the kernel killed the tool in every attempt")
	}
	bpftest.CheckGone(t, before)
	// In the same group with fewer tasks.
	cmd := tool(t, "run", "-q", "--", "true")
	group.Hold(t, cmd)
	if got := finish(t, cmd); got.status != exitDone {
		t.Errorf("with the default number of tasks: status %d: %s", got.status, got.err)
	} else {
		checkClean(t, got.saved(t))
	}
}

// A tool that the kernel kills for want of memory leaves neither eBPF programs nor workers.
func TestToolWithoutMemoryLeavesNothing(t *testing.T) {
	bpftest.Require(t)
	before := bpftest.Programs(t)
	group := bpftest.NewGroup(t, "memory")
	group.LimitMemory(t, 192*mib)
	cmd := tool(t, "run", "futex", "--workers", "2", "--mode", "processes", "--duration", "1h")
	group.Hold(t, cmd)
	got := finish(t, cmd, func() {
		awaitWork(t, cmd, anyTrial)
		setOOMScore(t, cmd.Process.Pid, 1000)
		eater := exec.Command("sh", "-c", take(170*mib))
		group.Hold(t, eater)
		if out, err := eater.CombinedOutput(); err != nil {
			t.Logf("the program that took the memory ended with %v: %s", err, out)
		}
	})
	if got.status != 128+int(unix.SIGKILL) {
		t.Errorf("the tool ended with %v: %s", cmd.ProcessState, got.err)
	}
	if len(got.files(t)) > 0 {
		t.Errorf("left %v", got.files(t))
	}
	checkNoWorkers(t, cmd)
	bpftest.CheckGone(t, before)
}

// take returns a shell command that takes memory for a moment.
func take(bytes int) string {
	return fmt.Sprintf("head -c %d /dev/zero | tail -c %d >/dev/null", bytes, bytes)
}

// setOOMScore sets how soon the kernel kills a process when memory is short.
func setOOMScore(t *testing.T, pid, adjustment int) {
	t.Helper()
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", pid), fmt.Append(nil, adjustment), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A program that the kernel kills for want of memory has its own status, and its report is
// complete.
func TestCommandWithoutMemory(t *testing.T) {
	bpftest.Require(t)
	group := bpftest.NewGroup(t, "memory")
	group.LimitMemory(t, 192*mib)
	cmd := tool(t, "run", "-o", "r.json", "--", "sh", "-c", "echo 1000 >/proc/$$/oom_score_adj; "+take(300*mib))
	group.Hold(t, cmd)
	got := finish(t, cmd)
	if want := 128 + int(unix.SIGKILL); got.status != want {
		t.Errorf("status %d, want %d: %s", got.status, want, got.err)
	}
	r := got.saved(t)
	checkClean(t, r)
	names := make(map[string]bool)
	for _, task := range r.Trials[0].Workers {
		names[task.Comm] = task.Exited
	}
	if !names["sh"] || !names["head"] || !names["tail"] {
		t.Errorf("tasks that ended: %v, want sh, head and tail", names)
	}
}
