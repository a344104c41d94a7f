//go:build linux

package workloads

import (
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// typistWork is a cycle's work in chunks, about 50 µs.
	typistWork = 50
	// typistPause is a cycle's wait in ns.
	typistPause = 2_000_000
)

// interactive is a program that someone waits for, beside three that compute,
// all on one core: worker 0 sleeps for 2 ms, then works for about 50 µs, and wants
// the core at once; workers 1 to 3 never block, and end with worker 0. One operation
// is one cycle of worker 0; what the others do is no operation: their chunks are the
// figure chunks_beside. Timers are as punctual as the kernel can (slack of 1 ns).
//
// A cycle is 1 voluntary switch of worker 0, when its sleep begins. The others'
// only voluntary switch is the one at the end gate.
func interactive() Workload {
	return Workload{
		Name:     "interactive",
		Summary:  "one worker that sleeps and wants the core at once, beside three that compute",
		variants: func(int) []Variant { return []Variant{{Workers: 4, firstCore: true}} },
		duration: 150 * time.Millisecond,
		version:  1, // before, chunks were operations too
		figures:  []string{"chunks_beside"},
		prepare:  wakePunctually,
		body:     interact,
	}
}

//go:nosplit
//go:norace
func interact(w *worker) syscall.Errno {
	if w.index == 0 {
		return typist(w)
	}
	w.begin()
	for atomic.LoadUint32(&w.board.head.finished) == 0 {
		w.work(1)
		w.slot.figures[0]++
	}
	return 0
}

//go:nosplit
//go:norace
func typist(w *worker) (errno syscall.Errno) {
	w.begin()
	// The first turn can come after a short trial's end: behind three slices of 4 ms.
	for n := int64(0); errno == 0 && (n == 0 || !w.over(n)); n++ {
		errno = w.pause(typistPause)
		w.work(typistWork)
		w.operations = n + 1
	}
	atomic.AddUint32(&w.board.head.finished, 1)
	return errno
}
