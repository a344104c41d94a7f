//go:build linux

package workloads

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Command is a program of the user's, to be traced from its first instruction.
type Command struct {
	// Argv is the program and its arguments. A program without a slash is
	// looked for in PATH, as a shell does.
	Argv []string
	// User is who it runs as, or nil for this process's own user.
	User *Credential
	// Env is its environment, or nil for this process's own.
	Env []string
	// Stdin, Stdout and Stderr are nil for this process's own.
	Stdin, Stdout, Stderr *os.File
}

// Running is a command that was started: first as a shim, blocked, which has the
// command's pid already; after Release as the command itself. It stays in this
// process's group, so a terminal's signals reach it, and it outlives this
// process, unless it was never released.
type Running struct {
	argv []string
	pid  int
	gate *os.File
	// before was read when the shim stood at its gate.
	before Counters
	// status carries one byte when the shim is ready, and an errno if it fails.
	status *os.File

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

// StartCommand starts a shim that will become the command, and returns when the
// shim is off the CPU, blocked, waiting for Release. To give up instead, send
// it SIGKILL by Signal. Wait must be called in any case.
func StartCommand(c Command) (*Running, error) {
	if len(c.Argv) == 0 {
		return nil, errors.New("start command: no command: give one after --")
	}
	// Made by hand, because os.Pipe would make the shim's ends non-blocking.
	var gate, status [2]int
	if err := unix.Pipe2(gate[:], unix.O_CLOEXEC); err != nil {
		return nil, fmt.Errorf("start command: create pipe: %w", err)
	}
	defer unix.Close(gate[0])
	r := &Running{argv: c.Argv, gate: os.NewFile(uintptr(gate[1]), "gate")}
	if err := unix.Pipe2(status[:], unix.O_CLOEXEC); err != nil {
		r.closePipes()
		return nil, fmt.Errorf("start command: create pipe: %w", err)
	}
	r.status = os.NewFile(uintptr(status[0]), "status")
	err := r.start(c, gate[0], status[1])
	unix.Close(status[1])
	if err != nil {
		r.closePipes()
		return nil, fmt.Errorf("start command: %w", err)
	}
	if err := r.settle(gate[0]); err != nil {
		// It never became the user's program: nothing is lost with it.
		_ = r.Signal(unix.SIGKILL)
		_, _, waitErr := r.Wait()
		return nil, fmt.Errorf("start command: %w", errors.Join(err, waitErr))
	}
	return r, nil
}

func (r *Running) start(c Command, gate, status int) error {
	files := []uintptr{0, 1, 2}
	for i, f := range []*os.File{c.Stdin, c.Stdout, c.Stderr} {
		if f != nil {
			files[i] = f.Fd()
		}
	}
	// Our two descriptors keep their numbers and all that the command would
	// inherit keep theirs: make's job server, for one, is found by number.
	for fd := len(files); fd <= max(gate, status); fd++ {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if fd == gate || fd == status || (err == nil && flags&unix.FD_CLOEXEC == 0) {
			files = append(files, uintptr(fd))
		} else {
			files = append(files, ^uintptr(0))
		}
	}
	spec := fmt.Sprintf("%s=%d,%d", shimVariable, gate, status)
	environ := c.Env
	if environ == nil {
		environ = os.Environ()
	}
	pid, err := syscall.ForkExec(hostProgram, c.Argv, &syscall.ProcAttr{
		Env:   append(slices.Clone(environ), spec),
		Files: files,
		Sys:   &syscall.SysProcAttr{Credential: c.User.system()},
	})
	if err != nil {
		return fmt.Errorf("start shim for %q: %w", c.Argv[0], err)
	}
	r.pid = pid
	return nil
}

// settle waits until the shim stands at its gate, which it reads from.
func (r *Running) settle(gate int) error {
	var ready [1]byte
	if _, err := io.ReadFull(r.status, ready[:]); err != nil {
		return fmt.Errorf("wait for shim: it ended early: %w", err)
	}
	if err := awaitRead(r.pid, gate); err != nil {
		return err
	}
	counters, err := settle(context.Background(), []Worker{{PID: r.pid, TID: r.pid}})
	if err != nil {
		return err
	}
	r.before = counters[0]
	return nil
}

// Before returns the kernel's counters of the shim's main thread, which
// becomes the command's, at its gate.
func (r *Running) Before() Counters { return r.before }

// ToolSwitches returns, after Wait, how often this process was switched out while
// the command ran.
func (r *Running) ToolSwitches() uint64 { return r.switches }

// PID returns the process id, the same before and after Release.
func (r *Running) PID() int { return r.pid }

// Release lets the shim execute the command, and returns when it has: nil, or
// an *ExecError if the kernel refused.
func (r *Running) Release() error {
	if _, err := r.gate.Write([]byte{0}); err != nil {
		return fmt.Errorf("release command: %w", err)
	}
	text, err := io.ReadAll(r.status)
	if err != nil {
		return fmt.Errorf("release command: read status: %w", err)
	}
	if len(text) == 0 {
		r.switches = ownSwitches()
		return nil
	}
	var errno syscall.Errno
	if _, err := fmt.Sscan(string(text), &errno); err != nil {
		return fmt.Errorf("release command: parse status %q: %w", text, err)
	}
	return &ExecError{Name: r.argv[0], Errno: errno}
}

// Signal sends a signal to the command, or os.ErrProcessDone if it has ended.
func (r *Running) Signal(s syscall.Signal) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waited {
		return fmt.Errorf("signal command: %w", os.ErrProcessDone)
	}
	if err := unix.Kill(r.pid, s); err != nil {
		return fmt.Errorf("signal command: %w", err)
	}
	return nil
}

// Wait waits until the command has ended and returns how, and what it and
// those of its children that it waited for used. Call it once.
func (r *Running) Wait() (syscall.WaitStatus, *syscall.Rusage, error) {
	defer r.closePipes()
	var status syscall.WaitStatus
	var usage syscall.Rusage
	// Wait without reaping first, so that Signal cannot hit another process that
	// was given the pid in the meantime.
	for {
		errno := blockInWaitid(r.pid)
		if errno == 0 {
			break
		}
		if errno != unix.EINTR {
			return status, nil, fmt.Errorf("wait for command: %w", errno)
		}
	}
	r.switches = ownSwitches() - r.switches
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waited = true
	if _, err := syscall.Wait4(r.pid, &status, 0, &usage); err != nil {
		return status, nil, fmt.Errorf("wait for command: %w", err)
	}
	return status, &usage, nil
}

// blockInWaitid waits until a child has ended, and leaves it to be reaped. As in
// sleepOn, Go is told that it blocks.
//
//go:nosplit
//go:norace
//go:noinline
func blockInWaitid(pid int) syscall.Errno {
	leaveScheduler()
	_, _, errno := syscall.RawSyscall6(unix.SYS_WAITID, unix.P_PID, uintptr(pid), 0, unix.WEXITED|unix.WNOWAIT, 0, 0)
	returnToScheduler()
	return errno
}

func (r *Running) closePipes() {
	// Nothing was written that a close could lose; a nil file's Close only fails.
	_ = r.gate.Close()
	_ = r.status.Close()
}

// withoutShim returns the environment as it was before start added to it.
func withoutShim(environ []string) []string {
	var kept []string
	for _, v := range environ {
		if !strings.HasPrefix(v, shimVariable+"=") {
			kept = append(kept, v)
		}
	}
	return kept
}
