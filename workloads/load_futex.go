//go:build linux

package workloads

import (
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// futex is pipe's ping-pong through memory: a token is a word that the sender
// sets and the receiver clears, and the kernel is called only to sleep and
// to wake. Threads use private futexes, processes shared ones. One operation is
// one round trip, counted by the leader.
//
// A round trip is 2 voluntary switches, one of each worker; see pingPong. If a
// worker is preempted between setting the word and the wake, the wake comes late,
// and the peer wakes in vain: one more voluntary switch.
func futex() Workload {
	return Workload{
		Name:     "futex",
		Summary:  "the same through a word of memory and futexes",
		duration: 125 * time.Millisecond,
		perCore:  2,
		paired:   true,
		pinned:   true,
		prepare:  prepareFutex,
		send:     setToken,
		receive:  takeToken,
		body:     pingPong,
	}
}

func prepareFutex(w *worker) error {
	// Write to both words once: a call on a shared futex whose page this process has not
	// written to yet would begin with a page fault.
	atomic.AddUint32(&w.slot.token, 0)
	atomic.AddUint32(&w.peer.token, 0)
	return becomeBatch(w)
}

// setToken puts a token into the peer's word and wakes it.
//
//go:nosplit
//go:norace
func setToken(w *worker, token byte) syscall.Errno {
	atomic.StoreUint32(&w.peer.token, uint32(token))
	return w.wakeOne(&w.peer.token)
}

// takeToken sleeps until there is a token in the worker's own word.
//
//go:nosplit
//go:norace
func takeToken(w *worker) (byte, syscall.Errno) {
	for {
		if token := atomic.SwapUint32(&w.slot.token, 0); token != 0 {
			return byte(token), 0
		}
		if errno := w.waitWhile(&w.slot.token, 0); errno != 0 {
			return 0, errno
		}
	}
}

// waitWhile sleeps while *word is value, until a wake. The word must be in the shared
// memory, and only workers may use it.
//
//go:nosplit
//go:norace
func (w *worker) waitWhile(word *uint32, value uint32) syscall.Errno {
	_, _, errno := syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexOpWait|w.futexScope,
		uintptr(value), 0, 0, 0)
	// The word has changed already, or a signal has come: the caller checks the word again.
	if errno == unix.EAGAIN || errno == unix.EINTR {
		return 0
	}
	return errno
}

// wakeOne wakes one worker that sleeps on the word.
//
//go:nosplit
//go:norace
func (w *worker) wakeOne(word *uint32) syscall.Errno {
	_, _, errno := syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexOpWake|w.futexScope,
		1, 0, 0, 0)
	return errno
}
