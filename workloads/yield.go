//go:build linux

package workloads

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// yield hands the core over: two workers pinned to each core call sched_yield
// all the time. One operation is one call.
//
// It measures a switch with next to nothing around it, not work: what sched_yield
// is to do is each scheduler's own affair, and programs that call it to get ahead are
// wrong. EEVDF (since 6.6) only puts off the caller's deadline, so where others are
// not yet entitled to the core the caller may go on with it; before, CFS put the caller
// behind all others.
//
// A call is 1 switch if the other worker is there to take the core. The kernel
// counts it as involuntary: the worker stays runnable.
func yield() Workload {
	return Workload{
		Name:     "yield",
		Summary:  "two workers on each core call sched_yield: bare switches, no work",
		duration: 75 * time.Millisecond,
		perCore:  2,
		pinned:   true,
		body:     giveWay,
	}
}

//go:nosplit
//go:norace
func giveWay(w *worker) syscall.Errno {
	w.begin()
	n := int64(0)
	for ; !w.over(n); n++ {
		syscall.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0)
	}
	w.operations = n
	return 0
}
