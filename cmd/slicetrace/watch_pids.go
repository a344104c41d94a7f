package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
)

// namedProcesses are those that --pid names. A file descriptor of each tells when it ends, so that a later
// process of the same number is not taken for it.
type namedProcesses struct {
	all []*namedProcess
	// over is cancelled when all have ended, and left is how many have not.
	over   context.Context
	cancel context.CancelFunc
	left   atomic.Int64
}

type namedProcess struct {
	pid   int
	stage processStage
	ended atomic.Bool
}

// processStage is how far a process has come.
type processStage uint8

const (
	processAwaited processStage = iota
	processLives
	processEnded // within the interval under way
	processGone  // before it
)

// lastSwitch is how long a process may take from its end, as its descriptor tells it, to its last switch.
const lastSwitch = 5 * time.Millisecond

func newNamedProcesses(pids []int) *namedProcesses {
	n := &namedProcesses{}
	n.over, n.cancel = context.WithCancel(context.Background())
	for _, pid := range slices.Compact(slices.Sorted(slices.Values(pids))) {
		n.all = append(n.all, &namedProcess{pid: pid})
	}
	n.left.Store(int64(len(n.all)))
	return n
}

// find looks for the processes. If all must be there, it says which is not.
func (n *namedProcesses) find(all bool) error {
	for _, p := range n.all {
		err := n.follow(p)
		switch {
		case errors.Is(err, unix.ESRCH) && all:
			return fmt.Errorf("--pid %d: there is no such process; with --wait, slicetrace waits for it", p.pid)
		case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOENT):
			return fmt.Errorf("--pid %d: that is a thread: give the number of its process", p.pid)
		}
	}
	return nil
}

// follow begins to wait for the end of a process. It returns unix.ESRCH if there is no process of its number.
func (n *namedProcesses) follow(p *namedProcess) error {
	fd, err := unix.PidfdOpen(p.pid, 0)
	if err != nil {
		if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) { // its end cannot be known here
			p.stage = processLives
			return nil
		}
		return err
	}
	if err := unix.SetNonblock(fd, true); err != nil { // so that Go waits for it without a thread
		return errors.Join(err, unix.Close(fd))
	}
	file := os.NewFile(uintptr(fd), "pidfd")
	wait, err := file.SyscallConn()
	if err != nil {
		return errors.Join(err, file.Close())
	}
	p.stage = processLives
	go func() {
		defer file.Close()
		if wait.Read(hasEnded) == nil {
			p.ended.Store(true)
			n.end()
		}
	}()
	return nil
}

// hasEnded reports whether the process of a descriptor has ended.
func hasEnded(fd uintptr) bool {
	poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	ready, err := unix.Poll(poll, 0)
	return err == nil && ready > 0
}

// end counts a process that has ended.
func (n *namedProcesses) end() {
	if n.left.Add(-1) == 0 {
		n.cancel()
	}
}

// until returns a context that is cancelled when ctx is, or all processes have ended.
func (n *namedProcesses) until(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	forget := context.AfterFunc(n.over, cancel)
	return ctx, func() {
		forget()
		cancel()
	}
}

// look notes which processes have ended up to now, so that the interval under way is their last.
func (n *namedProcesses) look() {
	for _, p := range n.all {
		if p.stage == processLives && p.ended.Load() {
			p.stage = processEnded
		}
	}
	if n.over.Err() != nil {
		time.Sleep(lastSwitch)
	}
}

// wants reports whether a process is one of these in the interval under way.
func (n *namedProcesses) wants(pid sched.PID) bool {
	return len(n.all) == 0 || slices.ContainsFunc(n.all, func(p *namedProcess) bool {
		return p.pid == int(pid) && p.stage != processGone
	})
}

// turn ends an interval, of which s has what is wanted, and looks for processes that are waited for. It
// reports whether all have ended.
func (n *namedProcesses) turn(s *report.System) (over bool) {
	over = len(n.all) > 0
	for _, p := range n.all {
		switch p.stage {
		case processEnded:
			p.stage = processGone
		case processAwaited:
			if errors.Is(n.follow(p), unix.ESRCH) && hasRun(s, p.pid) {
				p.stage = processGone // it came and went within the interval
				n.end()
			}
		}
		over = over && p.stage == processGone
	}
	return over
}

func hasRun(s *report.System, pid int) bool {
	return slices.ContainsFunc(s.Tasks, func(t report.Task) bool { return t.PID == sched.PID(pid) }) ||
		slices.ContainsFunc(s.Ended, func(t report.EndedTasks) bool { return t.PID == sched.PID(pid) })
}

// gone says that all have ended.
func (n *namedProcesses) gone() string {
	if len(n.all) == 1 {
		return fmt.Sprintf("process %d has ended", n.all[0].pid)
	}
	return fmt.Sprintf("all %d processes have ended", len(n.all))
}
