//go:build linux

package workloads

import (
	"fmt"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// sleepWork is the work of a cycle in chunks, about 20 µs.
	sleepWork = 20
	// sleepPause is the sleep of a cycle in ns.
	sleepPause = 200_000
)

// sleep behaves like work that waits for a disk or a network: each cycle is about
// 20 µs of work and then 200 µs of waiting for a timer. One operation is one
// cycle. The variants put one worker, and many, on one core.
//
// A cycle is 1 voluntary switch, when the wait begins, and there is one more at the
// end gate. A worker that is preempted between setting its timer and going to sleep may
// have an involuntary switch instead of that one, and a worker may be preempted while it
// works.
func sleep() Workload {
	return Workload{
		Name:     "sleep",
		Summary:  "short work, then a timer: waiting on one core, alone and many at once",
		variants: sleepVariants,
		duration: 125 * time.Millisecond,
		prepare:  wakePunctually,
		body:     sleepBody,
	}
}

func sleepVariants(int) []Variant {
	return []Variant{
		{Name: "one", Workers: 1, firstCore: true, duration: 75 * time.Millisecond},
		{Name: "many", Workers: 8, firstCore: true},
	}
}

// wakePunctually removes the default timer slack, by which the kernel may delay a timer by
// 50 µs.
func wakePunctually(*worker) error {
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("set timer slack: %w", err)
	}
	return nil
}

//go:nosplit
//go:norace
func sleepBody(w *worker) syscall.Errno {
	w.begin()
	for n := int64(0); !w.over(n); n++ {
		w.work(sleepWork)
		if errno := w.pause(sleepPause); errno != 0 {
			return errno
		}
		w.operations = n + 1
	}
	return 0
}

// work does that many chunks.
//
//go:nosplit
//go:norace
func (w *worker) work(chunks int) {
	for range chunks {
		w.kept = chunk(w.kept + 1)
	}
}

// pause sleeps for ns.
//
//go:nosplit
//go:norace
func (w *worker) pause(ns int64) syscall.Errno {
	w.timer.Nsec = ns
	_, _, errno := syscall.RawSyscall6(unix.SYS_CLOCK_NANOSLEEP, unix.CLOCK_MONOTONIC, 0,
		uintptr(unsafe.Pointer(&w.timer)), 0, 0, 0)
	return errno
}
