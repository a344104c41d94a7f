//go:build linux

package workloads

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// defaultPath is searched when PATH is not set, as execvp does.
const defaultPath = "/bin:/usr/bin"

// shim makes itself ready, waits at the gate and then becomes the command in os.Args. It returns
// this process's exit status, and only if it could not.
func shim(spec string, ready func() error) int {
	runtime.LockOSThread()
	if unix.Gettid() != unix.Getpid() {
		// Go moved us off the main thread, whose tid the tracer watches. Executing
		// this program again, with the pid and descriptors unchanged, puts us back.
		err := syscall.Exec(hostProgram, os.Args, os.Environ())
		return complain(err)
	}
	if err := ready(); err != nil {
		return complain(err)
	}
	var gate, status int
	if _, err := fmt.Sscanf(spec, "%d,%d", &gate, &status); err != nil {
		return complain(fmt.Errorf("read %s: %w", shimVariable, err))
	}
	// Neither may survive in the command: the closing of status tells the tool
	// that the command runs.
	unix.CloseOnExec(gate)
	unix.CloseOnExec(status)
	var token [1]byte
	if _, err := unix.Write(status, token[:]); err != nil {
		return complain(fmt.Errorf("tell the tool: %w", err))
	}
	// End of file: the tool is gone, or gave up.
	if n, err := unix.Read(gate, token[:]); n == 0 || err != nil {
		return 1
	}
	errno := execute(os.Args, withoutShim(os.Environ()))
	if _, err := unix.Write(status, fmt.Append(nil, uint(errno))); err != nil {
		return complain(fmt.Errorf("tell the tool: %w", err))
	}
	// The tool says what went wrong.
	return 1
}

func complain(err error) int {
	fmt.Fprintln(os.Stderr, "slicetrace: start command:", err)
	return 1
}

// execute replaces this process by the program, which it looks for as a shell
// does, and returns the reason if it cannot. A file that is there but may not
// be executed is remembered while the search goes on; a directory of PATH that
// may not be entered holds no program.
func execute(argv, environ []string) syscall.Errno {
	if strings.Contains(argv[0], "/") {
		return execFile(argv[0], argv, environ)
	}
	path, set := os.LookupEnv("PATH")
	if !set {
		path = defaultPath
	}
	reason := syscall.ENOENT
	if argv[0] == "" {
		return reason
	}
	for _, dir := range filepath.SplitList(path) {
		if dir == "" {
			dir = "."
		}
		file := dir + "/" + argv[0]
		switch errno := execFile(file, argv, environ); errno {
		case syscall.ENOENT, syscall.ENOTDIR:
		case syscall.EACCES:
			if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
				reason = errno
			}
		default:
			return errno
		}
	}
	return reason
}

// execFile returns only if the kernel refused.
func execFile(file string, argv, environ []string) syscall.Errno {
	var errno syscall.Errno
	if err := syscall.Exec(file, argv, environ); !errors.As(err, &errno) {
		return syscall.EINVAL
	}
	return errno
}
