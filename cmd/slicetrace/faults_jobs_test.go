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

// stateOf returns a process's state as ps shows it, Z if it has ended.
func stateOf(pid int) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "Z"
	}
	_, after, _ := strings.Cut(string(text), ") ")
	return after[:1]
}

// If standard error has no reader any more, neither the report nor the program's status is lost.
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

// A stop that comes before the program has begun, at whatever moment, stops the tool too, so
// that its shell goes on. When continued, it ends as if it had never been stopped.
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
		await(t, fmt.Sprintf("a stop after %v", delay), func() bool {
			return strings.Contains("TZ", stateOf(cmd.Process.Pid))
		})
		if err := unix.Kill(group, unix.SIGCONT); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // how it ended is looked at
		if status := shellStatus(cmd); status != 5 {
			t.Errorf("stopped after %v and continued it ends with status %d", delay, status)
		}
	}
}

// A signal that comes before the program has begun, at whatever moment, ends the tool as it
// would have ended the program.
func TestEndedBeforeTheProgramBegins(t *testing.T) {
	bpftest.Require(t)
	for delay := 8 * time.Millisecond; delay < 90*time.Millisecond; delay += 6 * time.Millisecond {
		cmd := tool(t, "run", "-q", "-o", "r.json", "--", "sleep", "30")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		var errs strings.Builder
		cmd.Stderr = &errs
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(delay)
		if err := unix.Kill(-cmd.Process.Pid, unix.SIGINT); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // how it ended is looked at
		if status := shellStatus(cmd); status != 128+int(unix.SIGINT) {
			t.Errorf("interrupted after %v it ends with status %d: %s", delay, status, &errs)
		}
	}
}

// If a program is stopped and continued at once, the tool does not stay stopped.
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
			began := time.Now()
			stopped, continued := unix.Kill(pid, unix.SIGSTOP), unix.Kill(pid, unix.SIGCONT)
			if stopped != nil || continued != nil {
				return // it has ended: the machine is slow
			}
			// Between the two calls so much time passed that the tool may have stopped itself too.
			if time.Since(began) > 200*time.Microsecond {
				_ = unix.Kill(cmd.Process.Pid, unix.SIGCONT) // it can have ended
			}
			time.Sleep(time.Millisecond)
		}
		// The tool can be about to stop, and then to continue itself.
		time.Sleep(200 * time.Millisecond)
		if tool, program := stateOf(cmd.Process.Pid), stateOf(pid); tool == "T" && program != "T" {
			t.Errorf("the tool is in state %s, the program in %s", tool, program)
		}
	})
	if got.status != exitDone {
		t.Errorf("status %d: %s", got.status, got.err)
	}
}

// In the background of a terminal with "stty tostop", the tool stops when it has something to
// write, and writes it when it is brought to the foreground.
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
