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
// A call is 1 switch if the other worker is there to take the core. The kernel
// counts it as involuntary: the worker stays runnable.
func yield() Workload {
	return Workload{
		Name:     "yield",
		Summary:  "two workers on each core hand it over by sched_yield",
		duration: 100 * time.Millisecond,
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
