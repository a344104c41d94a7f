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
	// User is the user that it runs as, or nil for this process's own user.
	User *Credential
	// Capabilities are the capabilities of this process that it keeps, as capset takes
	// them, or nil if execve decides.
	Capabilities *[2]unix.CapUserData
	// Env is its environment, or nil for this process's own.
	Env []string
	// Stdin, Stdout and Stderr are its standard streams, or nil for this process's own.
	Stdin, Stdout, Stderr *os.File
	// Inherited is what this process inherited and has changed since; the command gets it
	// unchanged. If it is nil, the command inherits from this process as it is.
	Inherited *Inheritance
	// Signals, if not nil, are forwarded to the command. Then this process also stops when
	// the command is stopped, so that a shell sees it behave like the command.
	Signals *Signals
	// Bound means that the command is killed when this process dies, as it is if Signals is not nil.
	Bound bool
}

// Running is a command that was started. Until Release it is a launcher, which is blocked
// and has the command's pid already; from then on it is the command itself. It is in this
// process's process group, so a terminal's signals reach it.
type Running struct {
	argv     []string
	launcher *launcher
	// pidfd refers to the command. forwarder is nil if no signals are forwarded.
	pidfd     int
	forwarder *forwarder
	// guard kills the command when this process dies, nil if nobody does or the forwarder's own does.
	guard *groupProbe

	// switches is the switch count of this process at Release, and after Wait the
	// difference since then.
	switches uint64

	mu     sync.Mutex
	waited bool
}

// ExecError means that the kernel has refused to execute a command.
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

// ExitStatus returns the status with which a shell would exit: 127 if there is no such
// program, 126 if it cannot be executed.
func (e *ExecError) ExitStatus() int {
	if e.Errno == syscall.ENOENT || e.Errno == syscall.ENOTDIR {
		return 127
	}
	return 126
}

// ErrEndedEarly means that a signal killed a command before it was executed.
var ErrEndedEarly = errors.New("killed by a signal before it began")

// StartCommand starts a launcher that will execute the command at Release. To give up
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
	switch {
	case c.Signals != nil:
		r.forwarder = startForwarder(r, c.Signals)
	case c.Bound:
		// Without it, as where the limit on processes is reached, the command outlives this process.
		r.guard, _ = startGroupProbe(r.pidfd)
	}
	return r, nil
}

// Before must be called before Release. It waits until the launcher is blocked and off the
// CPU, and returns the kernel's counters of its thread, which will be the command's main
// thread.
func (r *Running) Before() (Counters, error) {
	counters, err := countersAtRest(context.Background(), []Worker{{PID: r.PID(), TID: TID(r.PID())}})
	if err != nil {
		return Counters{}, err
	}
	return counters[0], nil
}

// ToolSwitches returns how often threads of this process were switched out while the
// command ran. It must be called after Wait.
func (r *Running) ToolSwitches() uint64 { return r.switches }

// PID returns the process id, the same before and after Release.
func (r *Running) PID() PID { return PID(r.launcher.pid) }

// Release lets the launcher execute the command and returns when it has done so. The error
// is an *ExecError if the kernel has refused, or ErrEndedEarly, wrapped.
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
	// The launcher is still an agent: without its socket it exits.
	_ = unix.Shutdown(r.launcher.socket, unix.SHUT_RDWR)
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return &ExecError{Name: r.argv[0], Errno: errno}
	}
	return fmt.Errorf("release command: %w", err)
}

// Signal sends a signal to the command. The error is os.ErrProcessDone, wrapped, if the
// command has ended.
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

// Wait waits until the command has ended. It returns how it has ended, and the resources
// that it and the children for which it has waited have used. Call it once.
func (r *Running) Wait() (syscall.WaitStatus, *syscall.Rusage, error) {
	defer r.close()
	var status syscall.WaitStatus
	var usage syscall.Rusage
	// Wait without reaping first, so that Signal cannot reach another process to which the
	// kernel has given the same pid.
	options := unix.WEXITED | unix.WNOWAIT
	if r.forwarder != nil {
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
		r.forwarder.stop(sig) // this consumes the event, which WNOWAIT has left
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

// stillStopped reports whether the command has been stopped and not continued since, and
// consumes the event.
func (r *Running) stillStopped() bool {
	event, _, err := r.launcher.event(unix.WSTOPPED | unix.WNOHANG)
	return err == nil && event == cldStopped
}

// passStop stops this process if the launcher was stopped, by a key of the terminal.
func (r *Running) passStop() {
	if r.forwarder == nil {
		return
	}
	event, sig, err := r.launcher.event(unix.WSTOPPED | unix.WNOHANG | unix.WNOWAIT)
	if err == nil && event == cldStopped {
		r.forwarder.stop(sig)
	}
}

// cldStopped is the si_code of a child that was stopped by a signal (CLD_STOPPED).
const cldStopped = 5

// event waits for the agent, or later the command, to change its state. It returns what has
// happened (si_code) and the status, which for a stop is the signal. If WNOHANG is among
// the options and nothing has happened, it returns 0.
func (a *agent) event(options int) (event int32, sig syscall.Signal, err error) {
	var info siginfo
	for {
		errno := blockInWaitid(unix.P_PID, a.pid, &info, options)
		if errno == 0 {
			return info.code(), syscall.Signal(info.word(24)), nil // si_status
		}
		if errno != unix.EINTR {
			return 0, 0, errno
		}
	}
}

// blockInWaitid waits for a child, or one of a process group. It tells Go that it blocks, as futexWaitFor does.
//
//go:nosplit
//go:norace
//go:noinline
func blockInWaitid(kind, id int, info *siginfo, options int) syscall.Errno {
	leaveScheduler()
	_, _, errno := syscall.RawSyscall6(unix.SYS_WAITID, uintptr(kind), uintptr(id), uintptr(unsafe.Pointer(info)),
		uintptr(options), 0, 0)
	returnToScheduler()
	return errno
}

func (r *Running) close() {
	if r.forwarder != nil {
		r.forwarder.close()
	}
	if r.guard != nil {
		_ = r.guard.end() // it only slept
	}
	// Their errors do not matter: nothing was written that a close could lose.
	_ = unix.Close(r.launcher.socket)
	_ = unix.Close(r.pidfd)
}
