package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report"
)

// terminal is a pseudo-terminal and the text that was shown on it.
type terminal struct {
	master, slave *os.File
	reading       sync.Once
	mu            sync.Mutex // guards the rest
	text          bytes.Buffer
}

func openTerminal(t *testing.T) *terminal {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		bpftest.Unavailable(t, "no pseudo-terminals: "+err.Error())
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { slave.Close() })
	if err := unix.IoctlSetWinsize(int(slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 100}); err != nil {
		t.Fatal(err)
	}
	return &terminal{master: master, slave: slave}
}

// start runs a command as a session of the terminal.
func (x *terminal) start(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = x.slave, x.slave, x.slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // where the test has failed
}

// read starts reading what is shown.
func (x *terminal) read() {
	x.reading.Do(func() {
		go func() {
			var some [4096]byte
			for {
				n, err := x.master.Read(some[:])
				if err != nil {
					return
				}
				x.mu.Lock()
				x.text.Write(some[:n])
				x.mu.Unlock()
			}
		}()
	})
}

func (x *terminal) shown() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.text.String()
}

// press types a key.
func (x *terminal) press(t *testing.T, key byte) {
	t.Helper()
	if _, err := x.master.Write([]byte{key}); err != nil {
		t.Fatal(err)
	}
}

const (
	ctrlQ = 0x11
	ctrlS = 0x13
	ctrlZ = 0x1a
)

// ended waits for a command, which must not hang.
func ended(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	late := time.AfterFunc(waitLimit, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	_ = cmd.Wait() // how it ended is looked at
	return shellStatus(cmd)
}

// A terminal that accepts no output, since Ctrl-S stopped it or nobody reads it, delays neither
// the trials nor the saving, and shows everything when it goes on.
func TestRunOnAStoppedTerminal(t *testing.T) {
	bpftest.Require(t)
	for name, c := range map[string]struct{ stop, resume func(*testing.T, *terminal) }{
		"Ctrl-S": {
			func(t *testing.T, x *terminal) { x.read(); x.press(t, ctrlS) },
			func(t *testing.T, x *terminal) { x.press(t, ctrlQ) },
		},
		"without a reader": {fillTerminal, func(_ *testing.T, x *terminal) { x.read() }},
	} {
		t.Run(name, func(t *testing.T) {
			x := openTerminal(t)
			cmd := tool(t, "run", "yield", "--rounds", "2", "--duration", "400ms", "-o", "r.json")
			x.start(t, cmd)
			awaitWorkers(t, cmd)
			c.stop(t, x)
			saved := filepath.Join(cmd.Dir, "r.json")
			await(t, "a saved report", func() bool { _, err := os.Stat(saved); return err == nil })
			if strings.Contains(x.shown(), "Saved") {
				t.Error("the terminal was not stopped: the test shows nothing")
			}
			c.resume(t, x)
			if status := ended(t, cmd); status != exitDone {
				t.Errorf("status %d, shown is %s", status, x.shown())
			}
			await(t, "show where the report is", func() bool { return strings.Contains(x.shown(), "Saved r.json") })
			if !strings.Contains(x.shown(), strings.TrimSpace(firstScreen)) {
				t.Errorf("the report is not shown: %s", x.shown())
			}
			r := (invocation{dir: cmd.Dir}).saved(t)
			checkHonest(t, r)
			if len(r.Trials) != 4 || r.Quality.ComparedWorkers != r.Quality.Workers || len(r.Warnings) != 0 {
				t.Errorf("%d trials, %d of %d workers are compared, warnings %v",
					len(r.Trials), r.Quality.ComparedWorkers, r.Quality.Workers, r.Warnings)
			}
			for _, trial := range r.Trials {
				// If the terminal delayed the tool, its snapshots would be further apart.
				if trial.Cores[0].WallNS > 2000e6 {
					t.Errorf("a trial of 400 ms took %d ns", trial.Cores[0].WallNS)
				}
			}
			checkNoWorkers(t, cmd)
		})
	}
}

// fillTerminal writes as much as a terminal accepts that nobody reads.
func fillTerminal(t *testing.T, x *terminal) {
	t.Helper()
	// It needs a descriptor of its own, since O_NONBLOCK would affect the tool's too.
	full, err := unix.Open(x.slave.Name(), unix.O_WRONLY|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(full)
	for {
		if _, err := unix.Write(full, bytes.Repeat([]byte("."), 512)); err == unix.EAGAIN {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// Ctrl-Z stops the tool and a program that it traces, but not the workers of a trial. After fg
// the run ends as if it had never been stopped.
func TestSuspendedRun(t *testing.T) {
	bpftest.Require(t)
	for name, c := range map[string]struct {
		args    []string
		started func(*terminal) bool
		check   func(*testing.T, *report.Report)
		status  int
		// within reports whether the stop fell into a trial; nil means that it always does. On
		// a slow machine the terminal may show a trial when it is nearly over, so each attempt
		// has one round more.
		within func(*report.Report) bool
	}{
		"bundled": {
			[]string{"run", "futex", "--duration", "1500ms", "-o", "r.json"},
			func(x *terminal) bool { return strings.Contains(x.shown(), "round 1") },
			func(t *testing.T, r *report.Report) {
				if q := r.Quality; len(r.Trials) != 2*r.Setup.Rounds || q.ComparedWorkers != q.Workers {
					t.Errorf("%d trials, %d of %d workers are compared", len(r.Trials), q.ComparedWorkers, q.Workers)
				}
				// The workers ended in time; the tool only came to see it later.
				for _, trial := range r.Trials {
					if trial.DurationNS > 3000e6 {
						t.Errorf("a trial of 1.5 s took %d ns", trial.DurationNS)
					}
				}
			}, exitDone,
			func(r *report.Report) bool {
				isLong := func(trial report.Trial) bool { return trial.Cores[0].WallNS >= 2000e6 }
				return slices.ContainsFunc(r.Trials, isLong)
			},
		},
		"command": {
			[]string{"run", "-o", "r.json", "--", "sh", "-c",
				"echo begun; for i in 1 2 3 4 5 6; do sleep 0.1; done; exit 5"},
			func(x *terminal) bool { return strings.Contains(x.shown(), "begun") },
			func(t *testing.T, r *report.Report) {
				if q := r.Quality; q.Workers != 7 || q.ComparedWorkers != q.Workers || r.Trials[0].DurationNS < 2000e6 {
					t.Errorf("%d of %d tasks are compared, after %d ns",
						q.ComparedWorkers, q.Workers, r.Trials[0].DurationNS)
				}
			}, 5, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			const attempts = 5
			for attempt := 1; attempt <= attempts; attempt++ {
				args := c.args
				if c.within != nil {
					args = append(slices.Clone(args), "--rounds", strconv.Itoa(attempt))
				}
				r := suspended(t, args, c.started, c.status)
				if r != nil {
					checkHonest(t, r)
					c.check(t, r)
				}
				if t.Failed() || r != nil && (c.within == nil || c.within(r)) {
					return
				}
				t.Logf("attempt %d of %d: the terminal showed the trial too late to stop the tool within it",
					attempt, attempts)
			}
			t.Errorf("no trial was stopped in %d runs", attempts)
		})
	}
}

// suspended runs the tool from a shell with job control, as a user has it, presses Ctrl-Z once
// the tool has started, and continues it 2 s later. It returns the report, or nil if the run was
// over when the key was pressed.
func suspended(t *testing.T, args []string, started func(*terminal) bool, status int) *report.Report {
	t.Helper()
	const shell = `set -m; "$0" "$@"; echo "stopped: $?"; sleep 2; fg >/dev/null; echo "ended: $?"`
	x := openTerminal(t)
	cmd := tool(t)
	cmd.Path = "/bin/sh"
	cmd.Args = append([]string{"sh", "-c", shell, self(t)}, args...)
	x.start(t, cmd)
	x.read()
	await(t, "begin", func() bool { return started(x) })
	x.press(t, ctrlZ)
	pressed := time.Now()
	await(t, "stop", func() bool { return strings.Contains(x.shown(), "stopped: ") })
	wentOn := time.Since(pressed)
	await(t, "end", func() bool { return strings.Contains(x.shown(), "ended: ") })
	if strings.Contains(x.shown(), fmt.Sprintf("stopped: %d", exitDone)) {
		// A run that was over by then has ended at once; one that was not has ignored the key.
		if wentOn > time.Second {
			t.Errorf("the tool went on for %v after Ctrl-Z", wentOn)
		}
		return nil
	}
	stop, end := fmt.Sprintf("stopped: %d", 128+int(unix.SIGTSTP)), fmt.Sprintf("ended: %d", status)
	ended(t, cmd)
	for _, want := range []string{stop, end, "Saved r.json"} {
		if !strings.Contains(x.shown(), want) {
			t.Errorf("%q is not shown, but %s", want, x.shown())
		}
	}
	return (invocation{dir: cmd.Dir}).saved(t)
}
