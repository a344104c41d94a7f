//go:build linux

package workloads

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// crash kills a worker: all workers compute as fast as they can, and half way through the
// trial worker 0 is killed by SIGSEGV, as by a bad access to memory. In processes
// that ends worker 0; in threads the kernel ends the whole process. The workers that
// survive work to the end of the trial. One operation is one chunk, and the work of dead
// workers counts too.
//
// Worker 0 sends the signal to itself, which has the effect of a bad access, except that
// the kernel does not log it and no core is dumped.
//
// A worker's only voluntary switch is the one at the end gate, or its last one.
func crash() Workload {
	return Workload{
		Name:     "crash",
		Summary:  "workers compute, one of them is killed by SIGSEGV: which others survive",
		duration: 40 * time.Millisecond,
		perCore:  2,
		fatal:    true,
		prepare:  prepareCrash,
		body:     crashBody,
	}
}

// prepareCrash removes Go's handler of the signal, which would write a stack trace and
// exit with a status of its own.
func prepareCrash(*worker) error { return defaultAction(unix.SIGSEGV) }

//go:nosplit
//go:norace
func crashBody(w *worker) syscall.Errno {
	w.begin()
	sum := uint64(w.index) + 1
	for n := int64(0); ; n++ {
		// In this order: otherwise worker 0 could be preempted between the two checks, run
		// again only after the end of the trial, and survive.
		over := w.over(n)
		if w.index == 0 && w.halfOver(n) {
			return w.die()
		}
		if over {
			break
		}
		sum = chunk(sum)
		w.operations = n + 1
		w.slot.operations = n + 1 // in shared memory, where it remains when the process dies
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
	return monotonic() >= w.shared.head.halfTime
}

// die returns only if the signal could not be sent.
//
//go:nosplit
//go:norace
func (w *worker) die() syscall.Errno {
	syscall.RawSyscall(unix.SYS_PRCTL, unix.PR_SET_DUMPABLE, 0, 0) // no core
	_, _, errno := syscall.RawSyscall(unix.SYS_TGKILL, uintptr(w.slot.pid), uintptr(w.slot.tid),
		uintptr(unix.SIGSEGV))
	return errno
}
