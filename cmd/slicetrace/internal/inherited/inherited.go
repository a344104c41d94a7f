//go:build linux

// Package inherited reads what this process inherited from whoever executed it.
//
// Before main is called, Go's runtime opens the descriptors 0 to 2 if they are closed, takes
// over the signals, unblocks some of them (and dies of a pending one), raises the limit on
// open files and obeys variables such as GODEBUG. A program that is to find what it would
// find without us needs all of that as it was. So this package looks before the runtime does:
//
//   - with cgo, in a constructor of the C library's start-up (constructor.c);
//   - without cgo, in the hook that the runtime keeps for cgo (hook_*.s).
//
// For a "run" command it also hides the variables whose names begin with GO from the runtime:
// they are meant for the work, not for the tool.
package inherited

import (
	"bytes"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// State is what a process inherits through execve and Go's runtime would change.
type State struct {
	// Ignored and Blocked are sets of signals: bit n-1 is signal n.
	Ignored, Blocked uint64
	// Pending holds the siginfo_t of each signal that was pending, since it was blocked.
	Pending [][128]byte
	// Closed lists which of the descriptors 0 to 2 were closed.
	Closed []int
	// OpenFiles is the limit on open files.
	OpenFiles unix.Rlimit
	// DeathSignal is the signal that the kernel sends when the parent dies, 0 for none.
	DeathSignal syscall.Signal
	// Environ is the environment in its order, with its duplicates and with entries that do
	// not have the form NAME=VALUE.
	Environ []string
}

// seen is what was found before the runtime began. The assembly and the C file write it;
// they rely on these offsets.
type seen struct {
	ignored, blocked uint64 // 0, 8
	closed           uint64 // 16: bit n is descriptor n
	files            [2]uint64
	environ          **byte // 40
	known            uint64 // 48: 1 if the fields above are filled in
	hidden           uint64 // 56: names in environ begin with hiddenByte instead of G
	pending          uint64 // 64: the number of infos
	infos            [32][128]byte
}

// hiddenByte stands in for the first letter of a hidden variable's name.
const hiddenByte = 1

// Read returns what this process inherited. Call it first in main: it also shows the
// variables again that were hidden from the runtime.
func Read() State {
	s := begin()
	if s.known == 0 {
		return guess()
	}
	state := State{
		Ignored: s.ignored, Blocked: s.blocked,
		OpenFiles: unix.Rlimit{Cur: s.files[0], Max: s.files[1]}, DeathSignal: deathSignal,
	}
	state.Pending = append(state.Pending, s.infos[:s.pending]...)
	for fd := range 3 {
		if s.closed&(1<<fd) != 0 {
			state.Closed = append(state.Closed, fd)
		}
	}
	for p := s.environ; p != nil && *p != nil; p = (**byte)(unsafe.Add(unsafe.Pointer(p), unsafe.Sizeof(p))) {
		if s.hidden != 0 && **p == hiddenByte {
			**p = 'G' // in place, so that /proc/PID/environ shows it too
		}
		state.Environ = append(state.Environ, unix.BytePtrToString(*p))
	}
	s.hidden = 0
	return state
}

// deathSignal belongs to the main thread, on which Go initializes packages.
var deathSignal = readDeathSignal()

func readDeathSignal() syscall.Signal {
	var number int32
	// The call does not fail on any kernel that this program runs on.
	_ = unix.Prctl(unix.PR_GET_PDEATHSIG, uintptr(unsafe.Pointer(&number)), 0, 0, 0)
	return syscall.Signal(number)
}

// guess returns what can still be seen after the runtime began. It is for versions of the
// runtime whose hook this package does not know.
func guess() State {
	state := State{DeathSignal: deathSignal}
	for sig := 1; sig <= 64; sig++ {
		var action [4]uint64 // struct sigaction of the kernel
		_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION,
			uintptr(sig), 0, uintptr(unsafe.Pointer(&action)), 8, 0, 0)
		if errno == 0 && action[0] == 1 { // SIG_IGN
			state.Ignored |= 1 << (sig - 1)
		}
	}
	_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, 0, 0, uintptr(unsafe.Pointer(&state.Blocked)), 8, 0, 0)
	_ = unix.Getrlimit(unix.RLIMIT_NOFILE, &state.OpenFiles)
	text, err := os.ReadFile("/proc/self/environ")
	if err != nil {
		state.Environ = os.Environ()
		return state
	}
	for v := range bytes.SplitSeq(bytes.TrimSuffix(text, []byte{0}), []byte{0}) {
		state.Environ = append(state.Environ, string(v))
	}
	return state
}
