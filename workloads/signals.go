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
	siQueue  = -1   // sent by sigqueue, with a value
	siKernel = 0x80 // sent by the kernel: a terminal's key, a timer
)

// Flags of struct sigaction.
const (
	saSiginfo  = 0x4
	saRestorer = 0x4000000
	saOnStack  = 0x8000000
	saRestart  = 0x10000000
)

// lastSignal is the highest real-time signal.
const lastSignal = 64

// Signals are the signals that this process has got since CatchSignals: all that can be
// caught, with their senders, which os/signal does not tell. A handler in assembly writes
// each into a pipe. It leaves faults and what the process sends to itself to Go's runtime,
// which uses SIGURG for preemption, for example.
type Signals struct {
	mu      sync.Mutex
	waiting []caught
	// over means that nobody takes signals any more.
	over bool
	// kept are the signals that are for this process alone, and what they call.
	kept map[syscall.Signal]func()
	// wake holds a token when something is waiting.
	wake chan struct{}
}

// caught is a signal and when it came.
type caught struct {
	info siginfo
	at   time.Time
	// pending means that it came before this process was executed.
	pending bool
}

// The handler can use nothing but these variables.
var (
	// catchFD is the pipe's writing end.
	//lint:ignore U1000 the assembly reads it
	catchFD int32
	// ownPID is this process's pid.
	ownPID int32
	// runtimeHandlers are Go's handlers, by the signal's number.
	runtimeHandlers [lastSignal + 1]uintptr
)

// handlerCode returns the address of the handler, and that of the code to which it returns.
func handlerCode() (handler, restorer uintptr)

// sigaction is the kernel's struct.
type sigaction struct {
	handler, flags, restorer uintptr
	mask                     uint64
}

func setAction(s syscall.Signal, action, before *sigaction) syscall.Errno {
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(s), uintptr(unsafe.Pointer(action)),
		uintptr(unsafe.Pointer(before)), 8, 0, 0)
	return errno
}

// catchAction returns the action with the handler. As with Go's own handlers, it runs on
// the signal stack of the thread, all signals are blocked meanwhile, and interrupted system
// calls are restarted.
func catchAction() sigaction {
	handler, restorer := handlerCode()
	return sigaction{handler, saSiginfo | saOnStack | saRestart | saRestorer, restorer, ^uint64(0)}
}

// CatchSignals begins to catch signals. It must be called once, and lasts until the process
// ends: os/signal gets no more signals. pending holds the siginfo_t of signals that came,
// and were blocked, before this process was executed; they are delivered first.
func CatchSignals(pending [][128]byte) (*Signals, error) {
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return nil, fmt.Errorf("catch signals: create pipe: %w", err)
	}
	catchFD, ownPID = int32(pipe[1]), int32(os.Getpid())
	s := &Signals{wake: make(chan struct{}, 1)}
	for _, info := range pending {
		s.waiting = append(s.waiting, caught{info: info, pending: true})
		s.notify()
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
		runtimeHandlers[sig] = before.handler // before our handler can need it
		if errno := setAction(sig, &action, nil); errno != 0 {
			return nil, fmt.Errorf("catch signal %d: %w", sig, errno)
		}
	}
	go s.read(os.NewFile(uintptr(pipe[0]), "signals"))
	return s, nil
}

// read reads from the pipe at once what the handler writes, so that the pipe never fills.
// It unblocks all signals in its own thread, since those that this process inherited as
// blocked may be blocked in every other one.
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
		if use := s.kept[c.info.signal()]; use != nil {
			use()
		} else if !s.over {
			s.waiting = append(s.waiting, c)
		}
		s.mu.Unlock()
		s.notify()
	}
}

// Keep makes a signal call use, which must not block, instead of being passed on.
func (s *Signals) Keep(sig syscall.Signal, use func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept == nil {
		s.kept = make(map[syscall.Signal]func())
	}
	s.kept[sig] = use
}

func (s *Signals) notify() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// next returns the first signal that is waiting, if there is one.
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

// drop discards the signals that are waiting and those to come.
func (s *Signals) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over, s.waiting = true, nil
}

// RestoreTermination lets the signals by which users end programs (SIGHUP, SIGINT, SIGQUIT
// and SIGTERM) end this process again, except those in a set that were ignored before.
func (s *Signals) RestoreTermination(ignored uint64) {
	for _, sig := range []syscall.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM} {
		if ignored&(1<<(sig-1)) == 0 {
			setAction(sig, &sigaction{}, nil)
		}
	}
}

// RestoreJobControl lets a terminal stop this process again (by SIGTSTP, SIGTTIN and
// SIGTTOU), except by signals in a set that were ignored before. With a handler instead, a
// process that writes to the terminal from the background would get SIGTTOU without end.
func (s *Signals) RestoreJobControl(ignored uint64) {
	const ignore = 1 // SIG_IGN
	for _, sig := range []syscall.Signal{unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU} {
		var action sigaction
		if ignored&(1<<(sig-1)) != 0 {
			action.handler = ignore
		}
		setAction(sig, &action, nil)
	}
}

// RaiseDefault ends or stops this process by a signal's default action, without a core
// dump. It returns if the process was stopped and then continued, or if the kernel ignores
// the signal, as it does with a stop from a terminal if nobody in the session could
// continue the process.
func RaiseDefault(sig syscall.Signal) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	unblocked := uint64(1) << (sig - 1)
	// A limit on the size of cores is not enough: it does not apply if the kernel pipes
	// cores into a program.
	if dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err == nil && dumpable == 1 {
		_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
		defer func() { _ = unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0) }()
	}
	var before sigaction
	caught := setAction(sig, &sigaction{}, &before) == 0
	_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_UNBLOCK, uintptr(unsafe.Pointer(&unblocked)),
		0, 8, 0, 0)
	// The signal is sent to this thread, so that it is delivered before the call returns.
	_ = unix.Tgkill(os.Getpid(), unix.Gettid(), sig)
	if caught {
		setAction(sig, &before, nil)
	}
}
