package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
)

// signalPlace is how a program is started, and how a signal is sent to it.
type signalPlace struct {
	// before are the words in front of the tool, where "probe" is the probe's file. after are
	// words for the probe that the tool runs, in front of the last one.
	before, after []string
	terminal      bool
	// job is whether a shell starts it as a job, so that it leads a process group; else it leads
	// a session.
	job bool
	// send sends a signal to the process that was started.
	send func(t *testing.T, x *terminal, pid int, sig syscall.Signal)
	// only are the signals that can be sent in this way, nil for all.
	only []syscall.Signal
}

func toProcess(t *testing.T, _ *terminal, pid int, sig syscall.Signal) {
	if err := unix.Kill(pid, sig); err != nil {
		t.Errorf("send signal %d: %v", sig, err)
	}
}

func toGroup(t *testing.T, x *terminal, pid int, sig syscall.Signal) { toProcess(t, x, -pid, sig) }

// fromKeys makes a terminal send a signal.
func fromKeys(t *testing.T, x *terminal, _ int, sig syscall.Signal) {
	t.Helper()
	switch sig {
	case unix.SIGINT:
		x.press(t, 3)
	case unix.SIGQUIT:
		x.press(t, 28)
	case unix.SIGTSTP:
		x.press(t, ctrlZ)
	case unix.SIGWINCH:
		size, err := unix.IoctlGetWinsize(int(x.slave.Fd()), unix.TIOCGWINSZ)
		if err != nil {
			t.Fatal(err)
		}
		size.Row++
		if err := unix.IoctlSetWinsize(int(x.slave.Fd()), unix.TIOCSWINSZ, size); err != nil {
			t.Fatal(err)
		}
	default:
		t.Fatalf("no key for signal %d", sig)
	}
}

var keys = []syscall.Signal{unix.SIGINT, unix.SIGQUIT, unix.SIGTSTP, unix.SIGWINCH}

// signalPlaces are the cases in which every signal must reach a program as it does without us.
func signalPlaces() map[string]signalPlace {
	return map[string]signalPlace{
		"to the process":                {send: toProcess},
		"to the group":                  {send: toGroup},
		"to the process, on a terminal": {terminal: true, send: toProcess},
		"to the group, on a terminal":   {terminal: true, send: toGroup},
		"by keys":                       {terminal: true, send: fromKeys, only: keys},
		"by keys, to a shell's job":     {job: true, terminal: true, send: fromKeys, only: keys},
		// In a shell's job the program would lead the group already, so setpgid would change
		// nothing. It must not take the program away from the terminal when the tool leads.
		"by keys, in a group of its own": {
			job: true, after: []string{"setpgid", "probe"}, terminal: true, send: fromKeys, only: keys,
		},
		"blocked by the caller": {
			before: []string{"probe", "with", "block=10", "block=12", "block=15", "block=40", "--"}, send: toProcess,
		},
		"ignored by the caller": {
			before: []string{"probe", "with", "ignore=1", "ignore=2", "ignore=15", "ignore=40", "--"}, send: toGroup,
		},
	}
}

// notPassedOn is the only signal that cannot be passed on: no process can catch it.
const notPassedOn = unix.SIGSTOP

// received returns the numbers of the signals that the program gets when all are sent.
func (c signalPlace) received(t *testing.T, traced bool) (log []byte, status unix.WaitStatus) {
	t.Helper()
	var x *terminal
	if c.terminal {
		x = openTerminal(t)
		x.read()
	}
	before := c.before
	if c.job {
		before = append([]string{"sh", "-c", `set -m; "$@"`, "sh"}, before...)
	}
	p := startProbe(t, x, nil, traced, before, append(slices.Clone(c.after), "count"))
	p.awaitReady(t)
	signals := c.only
	for sig := syscall.Signal(1); sig <= 64 && c.only == nil; sig++ {
		if sig != unix.SIGKILL && sig != unix.SIGSTOP {
			signals = append(signals, sig)
		}
	}
	for _, sig := range signals {
		c.send(t, x, p.Process.Pid, sig)
		if got, ok := p.next(5 * time.Second); ok {
			log = append(log, got)
		}
	}
	// A signal that comes twice comes soon.
	for {
		got, ok := p.next(100 * time.Millisecond)
		if !ok {
			break
		}
		log = append(log, got)
	}
	p.end.Close()
	log = append(log, p.rest(t)...)
	_ = p.Wait() // how it ended is compared
	slices.Sort(log)
	return log, unix.WaitStatus(p.ProcessState.Sys().(syscall.WaitStatus))
}

// Each signal that would reach a program without us reaches it once.
func TestEverySignalReachesTheProgramOnce(t *testing.T) {
	bpftest.Require(t)
	for name, c := range signalPlaces() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bare, bareStatus := c.received(t, false)
			traced, status := c.received(t, true)
			if !slices.Equal(traced, bare) || status != bareStatus || len(bare) < len(keys) {
				t.Errorf("signals %v and status %#x, without the tool %v and %#x", traced, status, bare, bareStatus)
			}
		})
	}
}

// fate is how a signal affects a program that does not handle it.
type fate struct {
	stopped, ended unix.WaitStatus
	saved          bool
}

func fateBy(t *testing.T, sig syscall.Signal, traced bool) fate {
	t.Helper()
	p := startProbe(t, nil, nil, traced, nil, []string{"wait"})
	p.awaitReady(t)
	toProcess(t, nil, p.Process.Pid, sig)
	var f fate
	// A stop must be seen by the process that waits for us, as a shell does. SIGCONT continues.
	ended := make(chan bool)
	go func() {
		defer close(ended)
		for {
			var status unix.WaitStatus
			if _, err := unix.Wait4(p.Process.Pid, &status, unix.WUNTRACED, nil); err != nil {
				t.Errorf("signal %d: wait: %v", sig, err)
				return
			}
			if !status.Stopped() {
				f.ended = status &^ 0x80 // whether a core was dumped is not passed on
				return
			}
			f.stopped = status
			toProcess(t, nil, p.Process.Pid, unix.SIGCONT)
		}
	}()
	select {
	case <-ended:
	case <-time.After(700 * time.Millisecond): // the signal does not end it
		p.end.Close()
		<-ended
	}
	p.rest(t)
	if text, err := os.ReadFile(filepath.Join(p.dir, "r.json")); err == nil {
		f.saved = strings.Contains(string(text), `"trials"`)
	}
	return f
}

// A signal that a program does not handle ends it, stops it or is ignored, and has the same
// effect on the tool. The report is saved, and no process is left behind.
func TestEverySignalDoesWhatItDoesToTheProgram(t *testing.T) {
	bpftest.Require(t)
	atOnce := make(chan bool, 6)
	var group sync.WaitGroup
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		if sig == notPassedOn {
			continue
		}
		group.Go(func() {
			atOnce <- true
			defer func() { <-atOnce }()
			want, got := fateBy(t, sig, false), fateBy(t, sig, true)
			if want.saved = sig != unix.SIGKILL; got != want {
				t.Errorf("signal %d: %s, without the tool %s", sig, describeFate(got), describeFate(want))
			}
		})
	}
	group.Wait()
}

func describeFate(f fate) string {
	return fmt.Sprintf("stopped %#x, ended %#x, report %v", f.stopped, f.ended, f.saved)
}
