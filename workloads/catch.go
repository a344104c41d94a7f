//go:build linux

package workloads

import (
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// siginfo is the kernel's siginfo_t.
type siginfo [128]byte

func (i *siginfo) word(at int) int32 { return int32(binary.NativeEndian.Uint32(i[at:])) }

func (i *siginfo) signal() syscall.Signal { return syscall.Signal(i.word(0)) }
func (i *siginfo) code() int32            { return i.word(8) }
func (i *siginfo) sender() int            { return int(i.word(16)) }

// Values of si_code that package unix lacks.
const (
	siQueue  = -1   // by sigqueue, with a value
	siKernel = 0x80 // by the kernel: a terminal's key, a timer
)

// Flags of struct sigaction.
const (
	saSiginfo  = 0x4
	saRestorer = 0x4000000
	saOnStack  = 0x8000000
	saRestart  = 0x10000000
)

// lastSignal is the highest of the real-time signals.
const lastSignal = 64

// Signals are those that this process gets from others, caught since CatchSignals:
// all that can be, with who sent them, which Go's own os/signal does not tell. A
// handler in assembly writes each into a pipe. What the process sends itself, and
// its faults, go on to Go's runtime, which preempts by SIGURG, for one.
type Signals struct {
	mu      sync.Mutex
	waiting []caught
	// over says that nobody takes any more.
	over bool
	// wake holds a token when something waits.
	wake chan struct{}
}

// caught is a signal and when it came.
type caught struct {
	info siginfo
	at   time.Time
	// pending says that it came before this process was executed.
	pending bool
}

// The handler can reach nothing but variables of the package.
var (
	// catchFD is the pipe's writing end.
	//lint:ignore U1000 the assembly reads it
	catchFD int32
	// ownPID is this process's id.
	ownPID int32
	// runtimeHandlers are Go's, by the signal's number.
	runtimeHandlers [lastSignal + 1]uintptr
)

// handlerCode returns where the handler's code is, and what it returns to.
func handlerCode() (handler, restorer uintptr)

// sigaction is the kernel's struct.
type sigaction struct {
	handler, flags, restorer uintptr
	mask                     uint64
}

func setAction(s syscall.Signal, action, before *sigaction) syscall.Errno {
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(s), uintptr(unsafe.Pointer(action)), uintptr(unsafe.Pointer(before)), 8, 0, 0)
	return errno
}

// catchAction has the handler, on the stack that Go gives each thread for it. All
// signals are blocked meanwhile, and system calls begin again, as under Go's own.
func catchAction() sigaction {
	handler, restorer := handlerCode()
	return sigaction{handler, saSiginfo | saOnStack | saRestart | saRestorer, restorer, ^uint64(0)}
}

// CatchSignals begins to catch. It is to be called once, and lasts for the process's
// life: os/signal gets nothing more. Pending are the siginfo_t of signals that came,
// and were blocked, before this process was executed: they are the first.
func CatchSignals(pending [][128]byte) (*Signals, error) {
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return nil, fmt.Errorf("catch signals: create pipe: %w", err)
	}
	catchFD, ownPID = int32(pipe[1]), int32(os.Getpid())
	s := &Signals{wake: make(chan struct{}, 1)}
	for _, info := range pending {
		s.waiting = append(s.waiting, caught{info: info, pending: true})
		s.rouse()
	}
	action := catchAction()
	for sig := syscall.Signal(1); sig <= lastSignal; sig++ {
		if sig == unix.SIGKILL || sig == unix.SIGSTOP {
			continue
		}
		var before sigaction
		if errno := setAction(sig, nil, &before); errno != 0 {
			return nil, fmt.Errorf("catch signal %d: %w", sig, errno)
		}
		runtimeHandlers[sig] = before.handler // before it can be asked for
		if errno := setAction(sig, &action, nil); errno != 0 {
			return nil, fmt.Errorf("catch signal %d: %w", sig, errno)
		}
	}
	go s.read(os.NewFile(uintptr(pipe[0]), "signals"))
	return s, nil
}

// read takes what the handler writes out of the pipe at once, so that it never fills.
// Its thread has no signal blocked, as the others may have: they inherit the mask.
func (s *Signals) read(pipe *os.File) {
	runtime.LockOSThread()
	var none uint64
	setSignalMask(&none, nil)
	var c caught
	for {
		if n, err := pipe.Read(c.info[:]); err != nil || n != len(c.info) {
			return // both ends live as long as the process
		}
		c.at = time.Now()
		s.mu.Lock()
		if !s.over {
			s.waiting = append(s.waiting, c)
		}
		s.mu.Unlock()
		s.rouse()
	}
}

func (s *Signals) rouse() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// next returns a signal that waits.
func (s *Signals) next() (caught, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == 0 {
		return caught{}, false
	}
	c := s.waiting[0]
	s.waiting = s.waiting[1:]
	return c, true
}

// drop forgets what waits and what comes.
func (s *Signals) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over, s.waiting = true, nil
}

// RestoreEnds lets the signals by which users end programs end this process again, but
// those of a set that was ignored.
func (s *Signals) RestoreEnds(ignored uint64) {
	for _, sig := range []syscall.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM} {
		if ignored&(1<<(sig-1)) == 0 {
			setAction(sig, &sigaction{}, nil)
		}
	}
}

// RestoreStops lets a terminal stop this process again, or not where that was ignored:
// who writes to it from the background would else be asked to stop without end.
func (s *Signals) RestoreStops(ignored uint64) {
	const ignore = 1 // SIG_IGN
	for _, sig := range []syscall.Signal{unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU} {
		var action sigaction
		if ignored&(1<<(sig-1)) != 0 {
			action.handler = ignore
		}
		setAction(sig, &action, nil)
	}
}

// DieOf ends or stops this process by a signal's default action, without a core. It returns if it was
// stopped and continued, or if the kernel does not do that, as for a stop from a
// terminal in a session where nobody could continue it.
func DieOf(sig syscall.Signal) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	unblocked := uint64(1) << (sig - 1)
	// A limit on the core's size is none for a program that the kernel pipes it into.
	if dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err == nil && dumpable == 1 {
		_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
		defer func() { _ = unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0) }()
	}
	var before sigaction
	caught := setAction(sig, &sigaction{}, &before) == 0
	_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_UNBLOCK, uintptr(unsafe.Pointer(&unblocked)), 0, 8, 0, 0)
	// To this thread: so it happens before the call returns.
	_ = unix.Tgkill(os.Getpid(), unix.Gettid(), sig)
	if caught {
		setAction(sig, &before, nil)
	}
}
