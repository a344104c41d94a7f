//go:build linux

package workloads

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestKilledHostIsNamed(t *testing.T) {
	inBothModes(t, func(t *testing.T, mode Mode) {
		r := &recorder{}
		var victim int
		r.ready = func(workers []Worker) error {
			victim = workers[1].PID
			time.AfterFunc(50*time.Millisecond, func() { unix.Kill(victim, unix.SIGKILL) })
			return nil
		}
		began := time.Now()
		err := Run(t.Context(), testTrial("pipe", mode, 4, 0, time.Hour), nil, r)
		if time.Since(began) > 5*time.Second {
			t.Errorf("the death was noticed after %v", time.Since(began))
		}
		who := "worker 1 of pipe"
		if mode == Threads {
			who = "all 4 workers of pipe"
		}
		// In processes the peer may see its broken pipe before we see the death.
		broken := mode == Processes && errors.Is(err, unix.EPIPE) && strings.Contains(err.Error(), "worker 0")
		want := fmt.Sprintf("run pipe in %s: host of %s (pid %d) was ended by signal 9 (killed)", mode, who, victim)
		if !broken && (err == nil || err.Error() != want) {
			t.Errorf("got error %v, want %q", err, want)
		}
		wantGone(t, pidsOf(r.workers))
		if len(r.results) != 0 {
			t.Error("a trial with a dead worker was reported as stopped")
		}
	})
}

func TestHostKilledAtTheGateIsNamed(t *testing.T) {
	r := &recorder{ready: func(workers []Worker) error { return unix.Kill(workers[0].PID, unix.SIGKILL) }}
	err := Run(t.Context(), testTrial("spin", Processes, 2, 0, time.Second), nil, r)
	if err == nil || !strings.Contains(err.Error(), "host of worker 0 of spin") {
		t.Errorf("got error %v, want one that names worker 0", err)
	}
	wantGone(t, pidsOf(r.workers))
}

func TestHostThatCannotPrepareSaysWhy(t *testing.T) {
	trial := testTrial("spin", Processes, 2, 23, 0)
	trial.CPUs = []int{1000}
	err := Run(t.Context(), trial, nil, &recorder{})
	if err == nil || !strings.Contains(err.Error(), "exited with status 1: prepare worker") ||
		!strings.Contains(err.Error(), "set affinity to cores [1000]: invalid argument") {
		t.Errorf("got error %v, want the host's own", err)
	}
}

func TestCancelKillsHosts(t *testing.T) {
	inBothModes(t, func(t *testing.T, mode Mode) {
		ctx, cancel := context.WithCancel(t.Context())
		r := &recorder{ready: func([]Worker) error {
			time.AfterFunc(50*time.Millisecond, cancel)
			return nil
		}}
		if err := Run(ctx, testTrial("spin", mode, 4, 0, time.Hour), nil, r); err != context.Canceled {
			t.Errorf("got error %v, want %v", err, context.Canceled)
		}
		wantGone(t, pidsOf(r.workers))
	})
}

func TestCancelKeepsFinishedTrials(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r := &recorder{}
	r.stopped = func(Result) error {
		if len(r.results) == 3 {
			cancel()
		}
		return nil
	}
	p := Plan{Workloads: Catalogue(), Modes: []Mode{Processes, Threads}, Rounds: 2, Operations: 23, Workers: 2}
	if err := p.Run(ctx, r); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want %v", err, context.Canceled)
	}
	if len(r.results) != 3 {
		t.Errorf("%d trials were reported, want 3", len(r.results))
	}
}

// startHelper starts this test binary as the named helper and returns it and
// the process ids on the first line that it prints.
func startHelper(t *testing.T, name string) (*exec.Cmd, *bufio.Reader, []int) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), helperVariable+"="+name)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(out)
	line, err := reader.ReadString('\n')
	if err != nil {
		t.Fatalf("helper %s said %q: %v", name, line, err)
	}
	var pids []int
	for _, field := range strings.Fields(line) {
		var pid int
		if _, err := fmt.Sscan(field, &pid); err != nil {
			t.Fatalf("helper %s said %q: %v", name, line, err)
		}
		if !alive(pid) {
			t.Fatalf("helper %s says that %d is its child, which does not live", name, pid)
		}
		pids = append(pids, pid)
	}
	return cmd, reader, pids
}

func TestKilledToolLeavesNobody(t *testing.T) {
	for _, name := range []string{"tool", "threads tool", "command tool"} {
		t.Run(name, func(t *testing.T) {
			cmd, _, pids := startHelper(t, name)
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			// The error only says that it was killed.
			_ = cmd.Wait()
			wantGone(t, pids)
		})
	}
}

// A terminal's Ctrl-C goes to the whole group; it must reach the tool alone.
func TestInterruptReachesTheToolOnly(t *testing.T) {
	cmd, out, pids := startHelper(t, "interrupt me")
	if err := unix.Kill(-cmd.Process.Pid, unix.SIGINT); err != nil {
		t.Fatal(err)
	}
	line, err := out.ReadString('\n')
	if err != nil || strings.TrimSpace(line) != context.Canceled.Error() {
		t.Errorf("tool ended its trial with %q, want %q", line, context.Canceled)
	}
	_ = cmd.Wait()
	wantGone(t, pids)
}
