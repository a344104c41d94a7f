//go:build linux

package workloads

import "sync/atomic"

// ownWords is an ordinary variable of the program. It has the same address in every
// process that executes the program, and workers share it only if they share their memory.
// Each worker has one word in it, except workers whose index is beyond its length.
var ownWords [1 << 15]int64

// ownWord returns the value that the worker of that index writes into its word. No two
// workers write the same value.
//
//go:nosplit
//go:norace
func (w *worker) ownWord(index int) int64 {
	return int64(atomic.LoadInt32(&w.shared.slots[index].tid))<<32 | int64(index+1)
}

// storeWord and loadWord need no atomic operations, since the start gate orders them. They
// must not use any: under the race detector, an atomic operation on a variable of the
// program calls the Go runtime, which a worker's thread must not do.
//
//go:nosplit
//go:norace
//go:noinline
func storeWord(index int, word int64) { ownWords[index] = word }

//go:nosplit
//go:norace
//go:noinline
func loadWord(index int) int64 { return ownWords[index] }

// writeOwnWord writes the worker's word. It must be called before the start gate, which
// opens when all workers have done so.
//
//go:nosplit
//go:norace
func (w *worker) writeOwnWord() {
	if w.index < len(ownWords) {
		storeWord(w.index, w.ownWord(w.index))
	}
}

// readOthersWords counts, in the shared memory, how many of the other workers' words the
// worker sees. It must be called after the start gate.
//
//go:nosplit
//go:norace
func (w *worker) readOthersWords() {
	seen, missed := int64(0), int64(0)
	for i := range min(len(w.shared.slots), len(ownWords)) {
		switch {
		case i == w.index:
		case loadWord(i) == w.ownWord(i):
			seen++
		default:
			missed++
		}
	}
	atomic.AddInt64(&w.shared.head.seen, seen)
	atomic.AddInt64(&w.shared.head.missed, missed)
}

// wordsSeen returns how many of the words that workers looked for they have seen, in parts
// per million; -1 if they looked for none.
//
//go:nosplit
//go:norace
func (m *sharedMemory) wordsSeen() int64 {
	seen, missed := atomic.LoadInt64(&m.head.seen), atomic.LoadInt64(&m.head.missed)
	if seen+missed == 0 {
		return -1
	}
	return 1_000_000 * seen / (seen + missed)
}
