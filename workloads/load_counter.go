//go:build linux

package workloads

import (
	"sync/atomic"
	"syscall"
	"time"
)

// counter adds to one word that all workers share, in three ways: without any
// synchronisation (a load, an addition, a store), by an atomic instruction, and under a
// lock. The lock is a futex mutex that does not spin, as glibc's default one; its futex is
// private in threads and shared in processes. One operation is one addition of 1. It is a
// function call in all variants, so that they differ in nothing else. The figure counted
// is the word's final value: the number of operations minus this value is how many
// additions were lost.
//
// The word is in the memory that the tool shares with the workers on purpose. The figure
// others_words_seen_ppm shows what processes and threads share without being asked to:
// each worker writes a value of its own into its place in a variable of the program. When
// all have done so, each looks for the values of the other workers. The figure is the
// part of these that it sees.
//
// Unsynchronised and atomic workers never block: an addition is 0 voluntary
// switches, and each worker has one at the end gate. A worker that finds the lock taken
// sleeps, and each release wakes at most one worker: over all workers, an addition is at
// most 1 voluntary switch.
func counter() Workload {
	return Workload{
		Name:     "counter",
		Summary:  "workers add to one word: updates lost, price of a lock",
		variants: counterVariants,
		duration: 50 * time.Millisecond,
		version:  1, // in version 0, only the load and the store were calls
		perCore:  2,
		figures:  []string{"counted", "others_words_seen_ppm"},
		rehearse: rehearseCounter,
	}
}

func counterVariants(int) []Variant {
	return []Variant{
		{Name: "unsynchronised", body: addUnsynchronised},
		{Name: "atomic", body: addAtomic},
		{Name: "lock", body: addLocked},
	}
}

//go:nosplit
//go:norace
func rehearseCounter(w *worker) syscall.Errno {
	w.writeOwnWord()
	return 0
}

//go:nosplit
//go:norace
func addUnsynchronised(w *worker) syscall.Errno {
	w.begin()
	n, word := int64(0), &w.shared.head.count
	for ; !w.overRarelyChecked(n); n++ {
		addPlainly(word)
	}
	return w.counted(n)
}

//go:nosplit
//go:norace
func addAtomic(w *worker) syscall.Errno {
	w.begin()
	n, word := int64(0), &w.shared.head.count
	for ; !w.overRarelyChecked(n); n++ {
		addAtomically(word)
	}
	return w.counted(n)
}

//go:nosplit
//go:norace
func addLocked(w *worker) syscall.Errno {
	w.begin()
	n, word := int64(0), &w.shared.head.count
	for ; !w.overRarelyChecked(n); n++ {
		if errno := w.lock(); errno != 0 {
			return errno
		}
		addPlainly(word)
		if errno := w.unlock(); errno != 0 {
			return errno
		}
	}
	return w.counted(n)
}

// counted stores the worker's operations. The last worker stores the figures.
//
//go:nosplit
//go:norace
func (w *worker) counted(n int64) syscall.Errno {
	w.operations = n
	w.readOthersWords()
	if atomic.AddUint32(&w.shared.head.finished, 1) == uint32(len(w.shared.slots)) {
		w.slot.figures[0] = atomic.LoadInt64(&w.shared.head.count)
		w.slot.figures[1] = w.shared.wordsSeen()
	}
	return 0
}

// overRarelyChecked is over, but reads the clock in every 64th operation only, since that
// takes longer than an addition.
//
//go:nosplit
//go:norace
func (w *worker) overRarelyChecked(n int64) bool {
	if w.limit < 0 && n%64 != 0 {
		return false
	}
	return w.over(n)
}

// addPlainly loads, adds and stores. The comparison, which is never true, prevents
// the compiler from using one instruction for all three.
//
//go:nosplit
//go:norace
//go:noinline
func addPlainly(word *int64) {
	value := *word
	if value < 0 {
		return
	}
	*word = value + 1
}

// addAtomically is not inlined either, so that it is a call like addPlainly.
//
//go:nosplit
//go:norace
//go:noinline
func addAtomically(word *int64) { atomic.AddInt64(word, 1) }

// The states of the lock (Drepper, Futexes Are Tricky, mutex 2).
const (
	unlocked  = 0
	locked    = 1
	contended = 2 // locked, and workers may sleep on it
)

//go:nosplit
//go:norace
func (w *worker) lock() syscall.Errno {
	word := &w.shared.head.lock
	if atomic.CompareAndSwapUint32(word, unlocked, locked) {
		return 0
	}
	for atomic.SwapUint32(word, contended) != unlocked {
		if errno := w.waitWhile(word, contended); errno != 0 {
			return errno
		}
	}
	return 0
}

//go:nosplit
//go:norace
func (w *worker) unlock() syscall.Errno {
	if atomic.SwapUint32(&w.shared.head.lock, unlocked) == contended {
		return w.wakeOne(&w.shared.head.lock)
	}
	return 0
}
