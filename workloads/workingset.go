//go:build linux

package workloads

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	kib = 1 << 10
	mib = 1 << 20
	// cacheLine is how far apart touches are.
	cacheLine = 64
	// scatter is the odd step by which touches go round a buffer, so that no
	// prefetcher foresees them.
	scatter = 0x9E3779B1
)

// workingset shows what a switch costs after it is over. Workers on one core
// take turns, by futex, in a ring; each turn a worker touches every cache line
// of a buffer of its own, in an order that no prefetcher foresees, and then once
// more. The second pass finds caches and TLB as a task left alone would; what
// the first one takes longer is the switch's aftermath. One operation is one turn.
//
// The variants are the sizes of the buffer, from within the first cache to beyond
// the last, for two workers; and for the smallest, how many take turns. In the
// mode processes that is as many address spaces. Figures: the time of all first
// passes, and of all second ones. Buffers are kept out of huge pages, so that
// a page is the same everywhere.
//
// A turn is 1 voluntary switch, when the worker has handed on and waits for its
// next one, and each worker has one more at the end gate. As in futex, a wake that
// comes late costs one more, and one that comes early may spare one. A worker
// alone in its ring never waits.
func workingset() Workload {
	return Workload{
		Name:     "workingset",
		Summary:  "turns on one core, each touching memory: what caches and TLB cost afterwards",
		variants: workingsetVariants,
		duration: 20 * time.Millisecond,
		figures:  []string{"first_pass_ns", "second_pass_ns"},
		prepare:  prepareBuffer,
		body:     touchInTurn,
	}
}

func workingsetVariants(int) []Variant {
	var variants []Variant
	add := func(name string, bytes, workers int) {
		variants = append(variants, Variant{Name: name, Workers: workers, firstCore: true, buffer: bytes})
	}
	for _, bytes := range []int{16 * kib, 256 * kib, 4 * mib, beyondCaches()} {
		add(sizeName(bytes), bytes, 2)
	}
	for _, workers := range []int{1, 4, 16} {
		add(fmt.Sprintf("%s × %d", sizeName(16*kib), workers), 16*kib, workers)
	}
	return variants
}

func sizeName(bytes int) string {
	if bytes < mib {
		return fmt.Sprintf("%d KiB", bytes/kib)
	}
	return fmt.Sprintf("%d MiB", bytes/mib)
}

// beyondCaches is twice the largest cache that the kernel knows, a power of two
// from 64 to 512 MiB.
func beyondCaches() int {
	largest := 0
	// Virtual machines often hide their caches: then there are no files.
	files, _ := filepath.Glob("/sys/devices/system/cpu/cpu0/cache/index*/size")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		if n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(string(text)), "K")); err == nil {
			largest = max(largest, n*kib)
		}
	}
	bytes := 64 * mib
	for bytes < 2*largest && bytes < 512*mib {
		bytes *= 2
	}
	return bytes
}

// prepareBuffer gives the worker memory of its own with all pages present.
func prepareBuffer(w *worker) error {
	mem, err := unix.Mmap(-1, 0, w.variant.buffer, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return fmt.Errorf("map %s: %w", sizeName(w.variant.buffer), err)
	}
	// A kernel built without huge pages has none to keep out.
	if err := unix.Madvise(mem, unix.MADV_NOHUGEPAGE); err != nil && err != unix.EINVAL {
		return fmt.Errorf("keep huge pages out: %w", err)
	}
	if err := unix.Madvise(mem, unix.MADV_POPULATE_WRITE); err != nil {
		return fmt.Errorf("fill %s with pages: %w", sizeName(w.variant.buffer), err)
	}
	w.buffer = unsafe.Pointer(unsafe.SliceData(mem))
	// Into whatever cache it fits: the first turn is to be like the others.
	w.touch()
	next := (w.index + 1) % len(w.board.slots)
	w.next = &w.board.slots[next]
	atomic.AddUint32(&w.slot.token, 0)
	atomic.AddUint32(&w.next.token, 0)
	return becomeBatch(w)
}

// touch writes to every line of the buffer.
//
//go:nosplit
//go:norace
func (w *worker) touch() {
	lines := uint32(w.variant.buffer / cacheLine)
	for n, i := uint32(0), uint32(0); n < lines; n++ {
		*(*uint64)(unsafe.Add(w.buffer, uintptr(i)*cacheLine)) += 1
		i = (i + scatter) & (lines - 1)
	}
}

// touchInTurn waits for its turn, works, and hands on. Worker 0 has the first
// turn, and begins the stop that goes round the ring.
//
//go:nosplit
//go:norace
func touchInTurn(w *worker) syscall.Errno {
	token := byte(tokenGo)
	var errno syscall.Errno
	if w.index == 0 {
		w.begin()
	} else {
		token, errno = takeToken(w)
		w.began()
	}
	for n := int64(0); errno == 0; {
		if token == tokenStop || w.index == 0 && w.over(n) {
			return w.stopNext()
		}
		w.turn()
		n++
		w.operations = n
		atomic.StoreUint32(&w.next.token, tokenGo)
		if errno = w.wakeOne(&w.next.token); errno == 0 {
			token, errno = takeToken(w)
		}
	}
	return errno
}

// stopNext hands the stop on. The last worker of the ring ends it.
//
//go:nosplit
//go:norace
func (w *worker) stopNext() syscall.Errno {
	if w.index == len(w.board.slots)-1 {
		return 0
	}
	atomic.StoreUint32(&w.next.token, tokenStop)
	return w.wakeOne(&w.next.token)
}

//go:nosplit
//go:norace
func (w *worker) turn() {
	began := monotonic()
	w.touch()
	between := monotonic()
	w.touch()
	w.slot.figures[0] += between - began
	w.slot.figures[1] += monotonic() - between
}
