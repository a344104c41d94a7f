//go:build linux

package workloads

import (
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// interactiveWork is the work of a cycle in chunks, about 50 µs.
	interactiveWork = 50
	// interactivePause is the sleep of a cycle in ns.
	interactivePause = 2_000_000
)

// interactive is an interactive program beside three that compute, all on one core.
// Worker 0 sleeps for 2 ms, then works for about 50 µs, and needs the core at once when it
// wakes up; workers 1 to 3 never block, and end when worker 0 ends. One operation is one
// cycle of worker 0. The chunks of the other workers are no operations; their number is
// the figure chunks_beside. Timers are as punctual as the kernel can make them (timer
// slack of 1 ns).
//
// A cycle is 1 voluntary switch of worker 0, when its sleep begins. The only voluntary
// switch of the other workers is the one at the end gate.
func interactive() Workload {
	return Workload{
		Name:     "interactive",
		Summary:  "one worker that sleeps and wants the core at once, beside three that compute",
		variants: func(int) []Variant { return []Variant{{Workers: 4, firstCore: true}} },
		duration: 150 * time.Millisecond,
		version:  1, // before, chunks were operations too
		figures:  []string{"chunks_beside"},
		prepare:  wakePunctually,
		body:     interactiveBody,
	}
}

//go:nosplit
//go:norace
func interactiveBody(w *worker) syscall.Errno {
	if w.index == 0 {
		return wakeAndWork(w)
	}
	w.begin()
	for atomic.LoadUint32(&w.shared.head.finished) == 0 {
		w.work(1)
		w.slot.figures[0]++
	}
	return 0
}

//go:nosplit
//go:norace
func wakeAndWork(w *worker) (errno syscall.Errno) {
	w.begin()
	// At least one cycle, since worker 0 may have to wait for three slices of 4 ms before it
	// runs, which can be longer than a short trial.
	for n := int64(0); errno == 0 && (n == 0 || !w.over(n)); n++ {
		errno = w.pause(interactivePause)
		w.work(interactiveWork)
		w.operations = n + 1
	}
	atomic.AddUint32(&w.shared.head.finished, 1)
	return errno
}
