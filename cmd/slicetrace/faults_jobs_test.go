package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
)

// stateOf is a process's state, as ps shows it; Z when it has ended.
func stateOf(pid int) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "Z"
	}
	_, after, _ := strings.Cut(string(text), ") ")
	return after[:1]
}

// Nobody reads standard error any more: neither the report nor the program's status is lost.
func TestStandardErrorThatNobodyReads(t *testing.T) {
	bpftest.Require(t)
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	read.Close()
	cmd := tool(t, "run", "-o", "r.json", "--", "sh", "-c", "exit 7")
	cmd.Stderr = write
	_ = cmd.Run() // how it ended is looked at
	write.Close()
	if status := shellStatus(cmd); status != 7 {
		t.Errorf("status %d", status)
	}
	checkHonest(t, (invocation{dir: cmd.Dir}).saved(t))
}

// A stop that comes before the program has begun, whenever that is, stops the tool too,
// so that its shell goes on; and continued it ends as if nothing had been.
func TestStoppedBeforeTheProgramBegins(t *testing.T) {
	bpftest.Require(t)
	for delay := time.Duration(0); delay < 90*time.Millisecond; delay += 6 * time.Millisecond {
		cmd := tool(t, "run", "-q", "-o", "r.json", "--", "sh", "-c", "exit 5")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // of a shell's job
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		group := -cmd.Process.Pid
		time.Sleep(delay)
		if err := unix.Kill(group, unix.SIGTSTP); err != nil {
			t.Fatal(err)
		}
		await(t, fmt.Sprintf("a stop after %v", delay), func() bool { return strings.Contains("TZ", stateOf(cmd.Process.Pid)) })
		if err := unix.Kill(group, unix.SIGCONT); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // how it ended is looked at
		if status := shellStatus(cmd); status != 5 {
			t.Errorf("stopped after %v and continued it ends with status %d", delay, status)
		}
	}
}

// A program that is stopped and continued at once leaves no tool behind that is stopped.
func TestStoppedForAMoment(t *testing.T) {
	bpftest.Require(t)
	cmd := tool(t, "run", "-q", "-o", "r.json", "--", "sh", "-c", "echo $$ >pid; exec sleep 2")
	var pid int
	got := finish(t, cmd, func() {
		await(t, "a program", func() bool {
			text, err := os.ReadFile(cmd.Dir + "/pid")
			_, scanned := fmt.Sscan(string(text), &pid)
			return err == nil && scanned == nil && strings.HasSuffix(string(text), "\n")
		})
		for range 100 {
			for _, sig := range []syscall.Signal{unix.SIGSTOP, unix.SIGCONT} {
				if err := unix.Kill(pid, sig); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Millisecond)
		}
		// It can be on its way into a stop that it takes back.
		time.Sleep(200 * time.Millisecond)
		if tool, program := stateOf(cmd.Process.Pid), stateOf(pid); tool == "T" && program != "T" {
			t.Errorf("the tool is in state %s, the program in %s", tool, program)
		}
	})
	if got.status != exitDone {
		t.Errorf("status %d: %s", got.status, got.err)
	}
}

// In the background of a terminal that stops who writes to it the tool stops to say
// what it has to say, and says it when it is brought to the foreground.
func TestBackgroundOfATerminalThatStops(t *testing.T) {
	bpftest.Require(t)
	const shell = `stty tostop; set -m; "$0" run -o r.json -- sh -c "exit 5" & p=$!
		while :; do s=$(cut -d " " -f 3 /proc/$p/stat); [ "$s" = T ] && break; sleep 0.1; done
		echo "state: $s"; fg >/dev/null; echo "ended: $?"`
	x := openTerminal(t)
	cmd := tool(t)
	cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", shell, self(t)}
	x.start(t, cmd)
	x.read()
	await(t, "a stop", func() bool { return strings.Contains(x.shown(), "state: T") })
	await(t, "an end", func() bool { return strings.Contains(x.shown(), "ended: ") })
	if ended(t, cmd); !strings.Contains(x.shown(), "ended: 5") || !strings.Contains(x.shown(), "Saved r.json") {
		t.Errorf("shown is %s", x.shown())
	}
}
