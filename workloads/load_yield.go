//go:build linux

package workloads

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// yield gives the core up: two workers pinned to each core call sched_yield
// all the time. One operation is one call.
//
// It measures a switch with next to nothing around it, not work. What sched_yield does
// differs between schedulers, and programs should not rely on it. EEVDF (since Linux 6.6)
// only delays the caller's deadline, so the caller may go on if no other task is eligible
// yet; CFS, before, put the caller behind all other tasks.
//
// A call is 1 switch if the other worker is there to take the core. The kernel
// counts it as involuntary, since the worker stays runnable.
func yield() Workload {
	return Workload{
		Name:     "yield",
		Summary:  "two workers on each core call sched_yield: bare switches, no work",
		duration: 75 * time.Millisecond,
		perCore:  2,
		pinned:   true,
		body:     yieldBody,
	}
}

//go:nosplit
//go:norace
func yieldBody(w *worker) syscall.Errno {
	w.begin()
	n := int64(0)
	for ; !w.over(n); n++ {
		syscall.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0)
	}
	w.operations = n
	return 0
}
