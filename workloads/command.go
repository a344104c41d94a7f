//go:build linux

package workloads

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Command is a program of the user's, to be traced from its first instruction.
type Command struct {
	// Argv is the program and its arguments. A program without a slash is
	// looked for in PATH, as a shell does.
	Argv []string
	// User is who it runs as, or nil for this process's own user.
	User *Credential
	// Capabilities are those that it keeps of this process's, as capset takes them,
	// or nil for what execve makes of them.
	Capabilities *[2]unix.CapUserData
	// Env is its environment, or nil for this process's own.
	Env []string
	// Stdin, Stdout and Stderr are nil for this process's own.
	Stdin, Stdout, Stderr *os.File
	// Inherited is what this process has changed of its own since it was executed, or
	// nil if the command is to have that as it is.
	Inherited *Inheritance
	// Signals are passed on to it, and where it is stopped this process stops too, so
	// that a shell sees of us what it would see of the command. Nil leaves it alone.
	Signals *Signals
}

// Running is a command that was started: first as a launcher, blocked, which has the
// command's pid already; after Release as the command itself. It stays in this
// process's group, so a terminal's signals reach it. It does not outlive this process
// unless Signals is nil.
type Running struct {
	argv     []string
	launcher *launcher
	// pidfd is the command's, and usher passes signals on to it, if any are.
	pidfd int
	usher *usher

	// switches are this process's own, up to Release, and then from there to Wait.
	switches uint64

	mu     sync.Mutex
	waited bool
}

// ExecError says that the kernel would not execute a command.
type ExecError struct {
	// Name is the program as the user gave it.
	Name string
	// Errno is the kernel's reason.
	Errno syscall.Errno
}

// Error names the program and the reason.
func (e *ExecError) Error() string {
	return fmt.Sprintf("execute %q: %v: check its name, PATH and permissions", e.Name, e.Errno)
}

// Unwrap returns the errno, which matches os.ErrNotExist and os.ErrPermission.
func (e *ExecError) Unwrap() error { return e.Errno }

// ExitStatus returns what a shell would exit with: 127 if there is no such
// program, 126 if it cannot be executed.
func (e *ExecError) ExitStatus() int {
	if e.Errno == syscall.ENOENT || e.Errno == syscall.ENOTDIR {
		return 127
	}
	return 126
}

// ErrEndedEarly says that a command was ended by a signal before it was executed.
var ErrEndedEarly = errors.New("ended by a signal before it began")

// StartCommand starts a launcher that will become the command at Release. To give up
// instead, send it SIGKILL by Signal. Wait must be called in any case.
func StartCommand(c Command) (*Running, error) {
	if len(c.Argv) == 0 {
		return nil, errors.New("start command: no command: give one after --")
	}
	l, err := startLauncher(c)
	if err != nil {
		return nil, fmt.Errorf("start command: %w", err)
	}
	r := &Running{argv: c.Argv, launcher: l}
	if r.pidfd, err = unix.PidfdOpen(l.pid, 0); err != nil {
		return nil, fmt.Errorf("start command: open its pid: %w", errors.Join(err, l.end()))
	}
	if c.Signals != nil {
		r.usher = startUsher(r, c.Signals)
	}
	return r, nil
}

// Before returns, before Release, the kernel's counters of the launcher's thread, which
// becomes the command's main thread, when it is off the CPU, blocked.
func (r *Running) Before() (Counters, error) {
	counters, err := settle(context.Background(), []Worker{{PID: r.launcher.pid, TID: r.launcher.pid}})
	if err != nil {
		return Counters{}, err
	}
	return counters[0], nil
}

// ToolSwitches returns, after Wait, how often this process was switched out while
// the command ran.
func (r *Running) ToolSwitches() uint64 { return r.switches }

// PID returns the process id, the same before and after Release.
func (r *Running) PID() int { return r.launcher.pid }

// Release lets the launcher execute the command, and returns when it has: nil, or an
// *ExecError if the kernel refused, or ErrEndedEarly.
func (r *Running) Release() error {
	r.mu.Lock()
	waited := r.waited
	r.mu.Unlock()
	if waited {
		return fmt.Errorf("release command: %w", os.ErrProcessDone)
	}
	if event, _, err := r.launcher.event(unix.WEXITED | unix.WNOHANG | unix.WNOWAIT); err != nil || event != 0 {
		return fmt.Errorf("release command: %w", errors.Join(err, ErrEndedEarly))
	}
	r.launcher.idle = r.passStop
	err := r.launcher.execute()
	if err == nil {
		r.switches = ownSwitches()
		return nil
	}
	// It never became the user's program, and ends.
	_ = unix.Shutdown(r.launcher.socket, unix.SHUT_RDWR)
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return &ExecError{Name: r.argv[0], Errno: errno}
	}
	return fmt.Errorf("release command: %w", err)
}

// Signal sends a signal to the command, or os.ErrProcessDone if it has ended.
func (r *Running) Signal(s syscall.Signal) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waited {
		return fmt.Errorf("signal command: %w", os.ErrProcessDone)
	}
	if err := unix.Kill(r.launcher.pid, s); err != nil {
		return fmt.Errorf("signal command: %w", err)
	}
	return nil
}

// Wait waits until the command has ended and returns how, and what it and
// those of its children that it waited for used. Call it once.
func (r *Running) Wait() (syscall.WaitStatus, *syscall.Rusage, error) {
	defer r.close()
	var status syscall.WaitStatus
	var usage syscall.Rusage
	// Wait without reaping first, so that Signal cannot hit another process that
	// was given the pid in the meantime.
	options := unix.WEXITED | unix.WNOWAIT
	if r.usher != nil {
		options |= unix.WSTOPPED
	}
	for {
		event, sig, err := r.launcher.event(options)
		if err != nil {
			return status, nil, fmt.Errorf("wait for command: %w", err)
		}
		if event != cldStopped {
			break
		}
		r.usher.stop(sig) // which takes the event that was only looked at
	}
	r.switches = ownSwitches() - r.switches
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waited = true
	if _, err := syscall.Wait4(r.launcher.pid, &status, 0, &usage); err != nil {
		return status, nil, fmt.Errorf("wait for command: %w", err)
	}
	return status, &usage, nil
}

// stillStopped takes the event that the command was stopped, if it has not been
// continued since.
func (r *Running) stillStopped() bool {
	event, _, err := r.launcher.event(unix.WSTOPPED | unix.WNOHANG)
	return err == nil && event == cldStopped
}

// passStop stops this process if the launcher was stopped, by a key of the terminal.
func (r *Running) passStop() {
	if event, sig, err := r.launcher.event(unix.WSTOPPED | unix.WNOHANG | unix.WNOWAIT); err == nil && event == cldStopped && r.usher != nil {
		r.usher.stop(sig)
	}
}

// cldStopped is the event that a child was stopped by a signal.
const cldStopped = 5

// event waits for a change of the servant's, or then the command's, state. It returns none, 0, if WNOHANG is
// among the options and there is none, and else what happened and its status, of a
// stop the signal.
func (s *servant) event(options int) (event int32, sig syscall.Signal, err error) {
	var info siginfo
	for {
		errno := blockInWaitid(s.pid, &info, options)
		if errno == 0 {
			return info.code(), syscall.Signal(info.word(24)), nil // si_status
		}
		if errno != unix.EINTR {
			return 0, 0, errno
		}
	}
}

// blockInWaitid waits for a child. As in sleepOn, Go is told that it blocks.
//
//go:nosplit
//go:norace
//go:noinline
func blockInWaitid(pid int, info *siginfo, options int) syscall.Errno {
	leaveScheduler()
	_, _, errno := syscall.RawSyscall6(unix.SYS_WAITID, unix.P_PID, uintptr(pid), uintptr(unsafe.Pointer(info)), uintptr(options), 0, 0)
	returnToScheduler()
	return errno
}

func (r *Running) close() {
	if r.usher != nil {
		r.usher.leave()
	}
	// Nothing was written that a close could lose.
	_ = unix.Close(r.launcher.socket)
	_ = unix.Close(r.pidfd)
}
