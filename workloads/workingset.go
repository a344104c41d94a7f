//go:build linux

package workloads

import (
	"encoding/binary"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	kib = 1 << 10
	mib = 1 << 20
	// cacheLine is how far apart the places are that a walk comes to.
	cacheLine = 64
	// aloneWalks is how many walks one worker alone is timed in, and idleWalks how
	// many it does before.
	aloneWalks = 200
	idleWalks  = 8
	// mostTimes bounds the walks that a worker keeps the times of: the first ones.
	mostTimes = 1 << 11
)

// pageStride is how far apart they are where a walk comes to each page once: the line
// is another in each page, or all would fall into the same sets of the cache.
var pageStride = os.Getpagesize() + cacheLine

// workingset shows what a switch costs after it is over. Workers on one core
// take turns, by futex, in a ring; each turn a worker walks once through memory of its
// own: from line to line in an order that no prefetcher foresees, each line holding the
// place of the next, so that no load can begin before the one before it is done. One
// operation is one turn.
//
// Before the start gate, when all others wait there, worker 0 does without switches what
// the ring does with them: it walks through as many buffers as there are workers, one
// after the other, all its own. What the caches do not hold it misses then too; what a
// walk of the ring takes longer is the switch's own aftermath: what the kernel's work
// in between pushed out of caches and TLB, and what a change of address space does.
// Figures, medians of walks: walk_switched_p50_ns, summed over workers, and of worker 0
// walk_alone_p50_ns.
//
// The forms are the sizes of the buffer, for two workers; for the smallest, 16 workers
// (16 address spaces in processes); by pages, where each page's TLB entry is needed
// and only a line of it; and shared: all workers have the same buffer, in threads at
// the same addresses, in processes mapped by each. Buffers are kept out of huge pages,
// so that a page is the same everywhere. Larger ones than these are left out: a trial
// would have too few turns, and what the last cache does not hold is cold with and
// without a switch.
//
// A turn is 1 voluntary switch, when the worker has handed on and waits for its
// next one, and each worker has one more at the end gate. As in futex, a wake that
// comes late costs one more, and one that comes early may spare one.
func workingset() Workload {
	return Workload{
		Name:     "workingset",
		Summary:  "turns on one core, each a walk through memory: colder caches and TLB",
		variants: workingsetVariants,
		duration: 20 * time.Millisecond,
		figures:  []string{"walk_switched_p50_ns", "walk_alone_p50_ns"},
		fds:      1,
		open:     openShared,
		prepare:  prepareBuffer,
		rehearse: walkAlone,
		body:     walkInTurn,
	}
}

func workingsetVariants(int) []Variant {
	// The names differ from those of a form that touched lines which did not depend
	// on each other.
	return []Variant{
		{Name: "16 KiB each", Workers: 2, firstCore: true, buffer: 16 * kib},
		{Name: "256 KiB each", Workers: 2, firstCore: true, buffer: 256 * kib},
		{Name: "1 MiB each", Workers: 2, firstCore: true, buffer: mib, duration: 90 * time.Millisecond},
		{Name: "16 KiB each of 16", Workers: 16, firstCore: true, buffer: 16 * kib},
		{Name: "256 KiB shared", Workers: 2, firstCore: true, buffer: 256 * kib, shared: true},
		{Name: "4 MiB each by pages", Workers: 2, firstCore: true, buffer: 4 * mib, byPages: true},
		{Name: "4 MiB shared by pages", Workers: 2, firstCore: true, buffer: 4 * mib, byPages: true, shared: true},
	}
}

func sizeName(bytes int) string {
	if bytes < mib {
		return fmt.Sprintf("%d KiB", bytes/kib)
	}
	return fmt.Sprintf("%d MiB", bytes/mib)
}

// places returns how many places a walk comes to, and how far apart they are.
//
//go:nosplit
//go:norace
func (v Variant) places() (n, stride int) {
	if v.byPages {
		return v.buffer / pageStride, pageStride
	}
	return v.buffer / cacheLine, cacheLine
}

// openShared gives each worker a descriptor of the same memory.
func openShared(workers int) (fds [][]int, err error) {
	fd, err := memoryFile("slicetrace-buffer", unix.MFD_NOEXEC_SEAL)
	if err != nil {
		return nil, fmt.Errorf("create memory to share: %w", err)
	}
	fds = append(fds, []int{fd})
	for range workers - 1 {
		copied, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return fds, fmt.Errorf("copy descriptor: %w", err)
		}
		fds = append(fds, []int{copied})
	}
	return fds, nil
}

// sharedBuffer is the buffer of all workers of this process, in forms in which they
// share one: threads have it at the same address.
var sharedBuffer struct {
	sync.Mutex
	place unsafe.Pointer
}

// prepareBuffer gives the worker its memory, all pages present, and laid out.
func prepareBuffer(w *worker) error {
	mapped := func() (unsafe.Pointer, error) { return mapRing(w.variant, -1) }
	if w.variant.shared {
		sharedBuffer.Lock()
		defer sharedBuffer.Unlock()
		mapped = func() (unsafe.Pointer, error) {
			if sharedBuffer.place != nil {
				return sharedBuffer.place, nil
			}
			return mapRing(w.variant, w.fds[0])
		}
	}
	var err error
	if w.buffer, err = mapped(); err != nil {
		return err
	}
	if w.variant.shared {
		sharedBuffer.place = w.buffer
	}
	others := 0
	if w.index == 0 && !w.variant.shared {
		others = len(w.board.slots) - 1
	}
	for range others {
		buffer, err := mapRing(w.variant, -1)
		if err != nil {
			return err
		}
		w.others = append(w.others, buffer)
	}
	w.times = make([]uint32, mostTimes)
	clear(w.times) // which makes its pages present
	next := (w.index + 1) % len(w.board.slots)
	w.next = &w.board.slots[next]
	atomic.AddUint32(&w.slot.token, 0)
	atomic.AddUint32(&w.next.token, 0)
	// Into whatever cache it fits: the first turn is to be like the others.
	w.walk(w.buffer)
	return becomeBatch(w)
}

// mapBuffer maps memory with all pages present and small, private or a descriptor's.
func mapBuffer(v Variant, fd int) (unsafe.Pointer, error) {
	kind := unix.MAP_PRIVATE | unix.MAP_ANONYMOUS
	if fd >= 0 {
		kind = unix.MAP_SHARED
		if err := unix.Ftruncate(fd, int64(v.buffer)); err != nil {
			return nil, fmt.Errorf("size %s to share: %w", sizeName(v.buffer), err)
		}
	}
	mem, err := unix.Mmap(fd, 0, v.buffer, unix.PROT_READ|unix.PROT_WRITE, kind)
	if err != nil {
		return nil, fmt.Errorf("map %s: %w", sizeName(v.buffer), err)
	}
	// A kernel built without huge pages has none to keep out.
	if err := unix.Madvise(mem, unix.MADV_NOHUGEPAGE); err != nil && err != unix.EINVAL {
		return nil, fmt.Errorf("keep huge pages out: %w", err)
	}
	if err := unix.Madvise(mem, unix.MADV_POPULATE_WRITE); err != nil {
		return nil, fmt.Errorf("fill %s with pages: %w", sizeName(v.buffer), err)
	}
	return unsafe.Pointer(unsafe.SliceData(mem)), nil
}

// mapRing is mapBuffer with the places laid out.
func mapRing(v Variant, fd int) (unsafe.Pointer, error) {
	buffer, err := mapBuffer(v, fd)
	if err == nil {
		v.layOut(unsafe.Slice((*byte)(buffer), v.buffer))
	}
	return buffer, err
}

// layOut makes a ring of all places, in a shuffled order that is the same in each
// buffer: at each is the offset of the next.
func (v Variant) layOut(mem []byte) {
	n, stride := v.places()
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	random := uint64(1)
	for i := n - 1; i > 0; i-- {
		random = random*6364136223846793005 + 1442695040888963407
		j := int((random >> 33) % uint64(i+1))
		order[i], order[j] = order[j], order[i]
	}
	for i, at := range order {
		next := order[(i+1)%n]
		binary.NativeEndian.PutUint32(mem[at*stride:], uint32(next*stride))
	}
}

// walk goes round a buffer once.
//
//go:nosplit
//go:norace
func (w *worker) walk(buffer unsafe.Pointer) {
	places, _ := w.variant.places()
	at := uint32(0)
	for range places {
		at = *(*uint32)(unsafe.Add(buffer, uintptr(at)))
	}
	w.kept += uint64(at)
}

// timedWalk is a walk through a buffer whose time is kept as the n-th.
//
//go:nosplit
//go:norace
func (w *worker) timedWalk(buffer unsafe.Pointer, n int64) {
	began := monotonic()
	w.walk(buffer)
	if n >= 0 && n < int64(len(w.times)) {
		w.times[n] = uint32(min(monotonic()-began, 1<<32-1))
	}
}

// noTime makes the sum over workers negative, and so the figure absent: a worker that had
// no turn did not need none.
const noTime = -1 << 50

// medianTime returns the median of the first n times, which it sorts; of none noTime.
//
//go:nosplit
//go:norace
func (w *worker) medianTime(n int64) int64 {
	n = min(n, int64(len(w.times)))
	if n == 0 {
		return noTime
	}
	times := w.times[:n]
	for gap := len(times) / 2; gap > 0; gap /= 2 { // Shell's sort needs no stack
		for i := gap; i < len(times); i++ {
			for j := i; j >= gap && times[j-gap] > times[j]; j -= gap {
				times[j-gap], times[j] = times[j], times[j-gap]
			}
		}
	}
	return int64(times[n/2])
}

// walkAlone is worker 0's measurement of walks without switches: through its own
// buffer and then each of the others, again and again. It is the last that comes to the
// start gate; the others are asleep there, or about to be.
//
//go:nosplit
//go:norace
func walkAlone(w *worker) (errno syscall.Errno) {
	if w.index != 0 {
		return 0
	}
	for atomic.LoadUint32(&w.board.head.ready) < uint32(len(w.board.slots)-1) {
		if errno = w.pause(waitForOthers); errno != 0 {
			return errno
		}
	}
	for n := int64(-idleWalks); n < aloneWalks; n++ {
		w.timedWalk(w.buffer, n)
		for _, other := range w.others {
			w.walk(other)
		}
	}
	w.slot.figures[1] = w.medianTime(aloneWalks)
	return 0
}

// waitForOthers is how long worker 0 sleeps between looks, in ns.
const waitForOthers = 100_000

// walkInTurn waits for its turn, works, and hands on. Worker 0 has the first
// turn, and begins the stop that goes round the ring.
//
//go:nosplit
//go:norace
func walkInTurn(w *worker) syscall.Errno {
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
			w.slot.figures[0] = w.medianTime(n)
			return w.stopNext()
		}
		w.timedWalk(w.buffer, n)
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
