package main

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/workloads"
)

// interrupt sends the tool a signal, several times within one interruption.
func interrupt(cmd *exec.Cmd, sig os.Signal, times int) {
	first := time.Now()
	for range times {
		_ = cmd.Process.Signal(sig) // the tool can have ended
		time.Sleep(2 * time.Millisecond)
		if time.Since(first) > oneInterruption/2 {
			return // on a slow machine the rest would be another interruption
		}
	}
}

// Several signals at once are one: timeout sends two.
func TestInterruptedRunKeepsFinishedRounds(t *testing.T) {
	bpftest.Require(t)
	for name, c := range map[string]struct {
		sig   syscall.Signal
		times int
	}{
		"Ctrl-C":        {syscall.SIGINT, 1},
		"Ctrl-C twice":  {syscall.SIGINT, 2},
		"SIGTERM":       {syscall.SIGTERM, 1},
		"SIGTERM often": {syscall.SIGTERM, 20},
	} {
		if signal.Ignored(c.sig) {
			continue // as in a shell's background, where the tool goes on to ignore it
		}
		cmd := tool(t, "run", "pipe", "--rounds", "50", "--duration", "200ms")
		got := finish(t, cmd, func() {
			awaitWork(t, cmd, func(trial workloads.Trial) bool { return trial.Round > 2 })
			interrupt(cmd, c.sig, c.times)
		})
		if got.status != exitFailed {
			t.Errorf("%s: status %d: %s", name, got.status, got.err)
		}
		r := got.saved(t)
		if n := len(r.Trials); n == 0 || n >= 100 || n%2 != 0 {
			t.Errorf("%s: %d trials are kept", name, n)
		}
		if !slices.ContainsFunc(r.Warnings, func(w string) bool { return strings.HasPrefix(w, "interrupted: ") }) {
			t.Errorf("%s: the report does not say so: %v", name, r.Warnings)
		}
		if !strings.Contains(got.out, "interrupted: ") {
			t.Errorf("%s: the reader is not told", name)
		}
		checkNoWorkers(t, cmd)
	}
}

func TestInterruptedBeforeTheFirstRound(t *testing.T) {
	bpftest.Require(t)
	cmd := tool(t, "run", "spin", "--duration", "1h")
	got := finish(t, cmd, func() {
		awaitWorkers(t, cmd)
		_ = cmd.Process.Signal(syscall.SIGINT)
	})
	got.checkOneSentence(t, "interrupted before the first trial had finished")
	if got.status != exitFailed || len(got.files(t)) > 0 {
		t.Errorf("status %d, left %v", got.status, got.files(t))
	}
	checkNoWorkers(t, cmd)
}

// A program gets each signal. What is sent after its end does not prevent that its report is saved.
func TestInterruptedProgramHasAReport(t *testing.T) {
	bpftest.Require(t)
	begun := filepath.Join(t.TempDir(), "begun")
	cmd := tool(t, "run", "-q", "-o", "r.json", "--", "sh", "-c", `echo >"$0"; exec sleep 30`, begun)
	got := finish(t, cmd, func() {
		await(t, "a program", func() bool { _, err := os.Stat(begun); return err == nil })
		interrupt(cmd, unix.SIGTERM, 20)
	})
	if got.status != 128+int(unix.SIGTERM) {
		t.Errorf("status %d: %s", got.status, got.err)
	}
	checkHonest(t, got.saved(t))
}

// A second signal ends a run that cannot save or show its report, and one sentence says what is lost.
// Here nobody reads the pipe to which it is written.
func TestSecondSignalEndsTheRun(t *testing.T) {
	bpftest.Require(t)
	for name, c := range map[string]struct {
		output string
		want   string
		saved  bool
	}{
		"while it is saved": {"-", "before its report was saved: what was measured is lost", false},
		"while it is shown": {"r.json", "when its report was saved, but not shown to its end", true},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := tool(t, "run", "pipe", "--rounds", "50", "--duration", "200ms", "-o", c.output)
			var said strings.Builder
			cmd.Stdout, cmd.Stderr = fullPipe(t), &said
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = cmd.Process.Kill() }) // where the test has failed
			awaitWork(t, cmd, func(trial workloads.Trial) bool { return trial.Round > 1 })
			var first time.Time
			await(t, "the tool's end", func() bool {
				if stateOf(cmd.Process.Pid) == "Z" {
					return true
				}
				if first.IsZero() {
					first = time.Now()
				}
				_ = cmd.Process.Signal(unix.SIGTERM) // those that come too early count as the first
				return false
			})
			took := time.Since(first)
			got := invocation{ended(t, cmd), "", said.String(), cmd.Dir}
			if got.status != 128+int(unix.SIGTERM) || took < oneInterruption {
				t.Errorf("status %d, %v after the first signal", got.status, took)
			}
			got.checkOneSentence(t, "a second signal, SIGTERM, ended the run at once, "+c.want)
			if _, err := os.Stat(filepath.Join(cmd.Dir, "r.json")); (err == nil) != c.saved {
				t.Errorf("left %v", got.files(t))
			}
			if c.saved {
				checkHonest(t, got.saved(t))
			}
			checkNoWorkers(t, cmd)
		})
	}
}

// fullPipe returns the writing end of a pipe that accepts no more, and that nobody reads.
func fullPipe(t *testing.T) *os.File {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { read.Close(); write.Close() })
	if err := write.SetWriteDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = write.Write(make([]byte, 4096))
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	return write
}
