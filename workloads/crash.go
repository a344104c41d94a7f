//go:build linux

package workloads

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// crash kills a worker: all count as fast as they can, and half way through the
// trial worker 0 is ended by SIGSEGV, as by a bad access to memory. In processes
// that is the end of worker 0; in threads the kernel ends the whole process. The
// others work to the end of the trial, if they live. One operation is one chunk,
// and the work of the dead counts.
//
// Worker 0 sends the signal to itself, which ends it as a bad access would. Only
// the kernel's log has no line about it, and no core is dumped.
//
// A worker's only voluntary switch is the one at the end gate, or its last one.
func crash() Workload {
	return Workload{
		Name:     "crash",
		Summary:  "workers compute, one of them is ended by SIGSEGV: who outlives it",
		duration: 40 * time.Millisecond,
		perCore:  2,
		fatal:    true,
		prepare:  prepareCrash,
		body:     churnUntilCrash,
	}
}

// prepareCrash takes the signal from Go, which would write a stack trace and
// then exit with a status of its own.
func prepareCrash(*worker) error { return defaultAction(unix.SIGSEGV) }

//go:nosplit
//go:norace
func churnUntilCrash(w *worker) syscall.Errno {
	w.begin()
	sum := uint64(w.index) + 1
	for n := int64(0); ; n++ {
		// In this order, or worker 0 could lose the core between the two looks, have it
		// again only after the end, and live.
		over := w.over(n)
		if w.index == 0 && w.halfOver(n) {
			return w.die()
		}
		if over {
			break
		}
		sum = chunk(sum)
		w.operations = n + 1
		w.slot.operations = n + 1 // on the board, should the next chunk be cut short
	}
	w.kept = sum
	return 0
}

// halfOver reports whether half of the trial is over.
//
//go:nosplit
//go:norace
func (w *worker) halfOver(n int64) bool {
	if w.limit >= 0 {
		return n >= w.limit/2
	}
	return monotonic() >= w.board.head.halfTime
}

// die returns only if the kernel did not take the signal.
//
//go:nosplit
//go:norace
func (w *worker) die() syscall.Errno {
	syscall.RawSyscall(unix.SYS_PRCTL, unix.PR_SET_DUMPABLE, 0, 0) // no core
	_, _, errno := syscall.RawSyscall(unix.SYS_TGKILL, uintptr(w.slot.pid), uintptr(w.slot.tid), uintptr(unix.SIGSEGV))
	return errno
}
