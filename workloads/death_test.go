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

	"github.com/slicetrace/slicetrace/bpf/bpftest"
)

func TestKilledHostIsNamed(t *testing.T) {
	inBothModes(t, func(t *testing.T, mode Mode) {
		r := &recorder{}
		var victim int
		r.ready = func(workers []Worker) error {
			victim = int(workers[1].PID)
			time.AfterFunc(50*time.Millisecond, func() { unix.Kill(victim, unix.SIGKILL) })
			return nil
		}
		began := time.Now()
		err := Run(t.Context(), testTrial("pipe", mode, 4, 0, time.Hour), nil, r)
		// The trial would last for an hour.
		if time.Since(began) > waitLimit {
			t.Errorf("the death was noticed after %v", time.Since(began))
		}
		who := "worker 1 of pipe"
		if mode == Threads {
			who = "all 4 workers of pipe"
		}
		// In processes the peer may notice its broken pipe before the tool notices the death.
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
	r := &recorder{ready: func(workers []Worker) error { return unix.Kill(int(workers[0].PID), unix.SIGKILL) }}
	err := Run(t.Context(), testTrial("spin", Processes, 2, 0, time.Second), nil, r)
	if err == nil || !strings.Contains(err.Error(), "host of worker 0 of spin") {
		t.Errorf("got error %v, want one that names worker 0", err)
	}
	wantGone(t, pidsOf(r.workers))
}

func TestHostThatCannotPrepareSaysWhy(t *testing.T) {
	trial := testTrial("spin", Processes, 2, 23, 0)
	trial.CPUs = []CPU{1000}
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
	if err := p.Run(ctx, r, nil); !errors.Is(err, context.Canceled) {
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
			t.Fatalf("helper %s reports that %d is its child, but that is not alive", name, pid)
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
			// The error is only that it was killed.
			_ = cmd.Wait()
			wantGone(t, pids)
		})
	}
}

// A terminal's Ctrl-C goes to a whole process group. It must reach the tool only.
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

// The crash that the workload intends ends one process: its only worker, or all threads.
func TestCrashEndsOneProcess(t *testing.T) {
	inBothModes(t, func(t *testing.T, mode Mode) {
		plain := crash().Variants(1)[0]
		for _, operations := range []int64{0, 1009} {
			r := runTrial(t, variantTrial(crash(), plain, mode, operations))
			for _, w := range r.Workers {
				want := mode == Threads || w.Index == 0
				if w.Died != want {
					t.Errorf("worker %d died: %v, want %v", w.Index, w.Died, want)
				}
				if w.Start <= 0 || w.End < w.Start || w.Died != (w.After == Counters{}) {
					t.Errorf("worker %d worked from %v to %v, its counters %+v", w.Index, w.Start, w.End, w.After)
				}
				if voluntary, _ := switches(w); !w.Died && (voluntary != 1 || w.Operations == 0) {
					t.Errorf("worker %d did %d chunks and blocked %d times, want some and 1",
						w.Index, w.Operations, voluntary)
				}
				if !w.Died && operations > 0 && w.Operations != operations {
					t.Errorf("worker %d survived and did %d chunks, want %d", w.Index, w.Operations, operations)
				}
			}
			if victim := r.Workers[0].Operations; operations > 0 && victim != operations/2 {
				t.Errorf("the victim did %d chunks, want %d", victim, operations/2)
			}
			if r.Memory != nil {
				t.Errorf("the memory of dead processes is %+v", r.Memory)
			}
		}
	})
}

// Only the first worker's host may end, only by SIGSEGV, and only in this workload.
func TestAnotherDeathBesideTheCrashIsAnError(t *testing.T) {
	for _, c := range []struct {
		workload string
		victim   int
		signal   syscall.Signal
	}{{"crash", 2, unix.SIGSEGV}, {"crash", 0, unix.SIGKILL}, {"spin", 0, unix.SIGSEGV}} {
		r := &recorder{ready: func(workers []Worker) error { return unix.Kill(int(workers[c.victim].PID), c.signal) }}
		trial := testTrial(c.workload, Processes, 4, 0, time.Second)
		err := Run(t.Context(), trial, nil, r)
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("host of worker %d of %s", c.victim, c.workload)) {
			t.Errorf("%+v: got error %v", c, err)
		}
		wantGone(t, pidsOf(r.workers))
	}
}

func TestCrashLeavesNoCore(t *testing.T) {
	t.Chdir(t.TempDir())
	old, err := os.ReadFile("/proc/sys/kernel/core_pattern")
	if err != nil || strings.HasPrefix(string(old), "|") || strings.Contains(string(old), "/") {
		bpftest.Lacks(t, false, "cores that go into the working directory: core_pattern is %q, %v", old, err)
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &limit); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{Cur: limit.Max, Max: limit.Max}); err != nil {
		t.Fatal(err)
	}
	defer unix.Setrlimit(unix.RLIMIT_CORE, &limit)
	inBothModes(t, func(t *testing.T, mode Mode) {
		runTrial(t, variantTrial(crash(), crash().Variants(1)[0], mode, 1009))
		if files, err := os.ReadDir("."); err != nil || len(files) > 0 {
			t.Errorf("the crash left %v, %v", files, err)
		}
	})
}

// The tool can be killed before an agent has got its first request.
func TestAgentEndsWithTheToolAtOnce(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	pid, errno := forkBlocked(uintptr(pair[1]), uintptr(pair[0]))
	if errno != 0 {
		t.Fatal(errno)
	}
	for _, fd := range pair {
		if err := unix.Close(fd); err != nil {
			t.Error(err)
		}
	}
	await(t, "the end of the agent", func() bool {
		ended, err := unix.Wait4(pid, nil, unix.WNOHANG, nil)
		return err != nil || ended == pid
	})
}
