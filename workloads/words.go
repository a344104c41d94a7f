//go:build linux

package workloads

import "sync/atomic"

// ownWords is an ordinary variable of the program, at the same address in every
// process that executes it: whether workers share it is for the kernel to say, by
// whether they share their memory. Each worker has a word of its own in it; those
// beyond its length have none.
var ownWords [1 << 15]int64

// ownWord is what a worker writes into its word, unlike any other worker's.
//
//go:nosplit
//go:norace
func (w *worker) ownWord(index int) int64 {
	return int64(atomic.LoadInt32(&w.board.slots[index].tid))<<32 | int64(index+1)
}

// storeWord and loadWord are plain, for the start gate orders them: under the race
// detector an atomic operation on a variable of the program calls into the Go runtime,
// which a worker's thread no longer has.
//
//go:nosplit
//go:norace
//go:noinline
func storeWord(index int, word int64) { ownWords[index] = word }

//go:nosplit
//go:norace
//go:noinline
func loadWord(index int) int64 { return ownWords[index] }

// writeOwnWord must be called before the start gate, which opens when all have.
//
//go:nosplit
//go:norace
func (w *worker) writeOwnWord() {
	if w.index < len(ownWords) {
		storeWord(w.index, w.ownWord(w.index))
	}
}

// readOthersWords counts on the board which of the words that others wrote the worker
// sees. It must be called behind the start gate.
//
//go:nosplit
//go:norace
func (w *worker) readOthersWords() {
	seen, missed := int64(0), int64(0)
	for i := range min(len(w.board.slots), len(ownWords)) {
		switch {
		case i == w.index:
		case loadWord(i) == w.ownWord(i):
			seen++
		default:
			missed++
		}
	}
	atomic.AddInt64(&w.board.head.seen, seen)
	atomic.AddInt64(&w.board.head.missed, missed)
}

// wordsSeen returns in parts per million how many of the words that others wrote
// were seen, of all that workers looked for; -1 if there were none.
//
//go:nosplit
//go:norace
func (b *board) wordsSeen() int64 {
	seen, missed := atomic.LoadInt64(&b.head.seen), atomic.LoadInt64(&b.head.missed)
	if seen+missed == 0 {
		return -1
	}
	return 1_000_000 * seen / (seen + missed)
}
