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
	// cacheLine is the distance between the places that a walk visits.
	cacheLine = 64
	// aloneWalks is how many walks of worker 0 alone are timed, after idleWalks that are not.
	aloneWalks = 200
	idleWalks  = 8
	// mostTimes is how many walks a worker keeps the times of: the first ones.
	mostTimes = 1 << 11
)

// pageStride is the distance of the places if a walk visits each page once. The line is
// a different one in each page, since otherwise all lines would be in the same sets of
// the cache.
var pageStride = os.Getpagesize() + cacheLine

// workingset shows what a switch costs after it is over. Workers on one core take turns,
// in a ring, by futex. In each turn a worker walks once through its own memory, from line
// to line in an order that no prefetcher can predict. Each line holds the place of the
// next one, so that no load can start before the previous one is done. One operation is
// one turn.
//
// Before the start gate, while all other workers wait there, worker 0 does without
// switches what the ring does with them: it walks through as many buffers as there are
// workers, one after the other, all its own. It has the same misses as the ring for what
// the caches cannot hold. If walks of the ring take longer, that is an effect of the
// switch: what the kernel's work in between evicts from caches and TLB, and what a change
// of address space does. The figures are medians of walks: walk_switched_p50_ns, summed
// over workers, and walk_alone_p50_ns of worker 0.
//
// Most variants differ in the size of the buffer and have two workers. One has 16 workers
// (16 address spaces in processes). Those "by pages" visit one line in each page, so that
// they need many TLB entries and little cache. In those "shared" all workers have the same
// buffer: threads at the same address, processes each with a mapping of its own. Buffers
// have no huge pages, so that pages have the same size everywhere. There are no larger
// buffers: a trial would have too few turns, and what the last cache does not hold is cold
// with and without a switch.
//
// A turn is 1 voluntary switch, when the worker has woken the next one and waits for its
// next turn, and each worker has one more at the end gate. As in futex, a wake that
// comes late costs one more, and one that comes early may save one.
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
		body:     workingsetBody,
	}
}

func workingsetVariants(int) []Variant {
	// An earlier version visited lines that did not depend on each other. Its variants had
	// other names.
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

// places returns how many places a walk visits, and the distance between them.
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

// sharedBuffer is the buffer of all workers of this process in variants in which they
// share one, so that threads have it at the same address.
var sharedBuffer struct {
	sync.Mutex
	place unsafe.Pointer
}

// prepareBuffer gives the worker its memory, with all pages present and the places laid
// out.
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
		others = len(w.shared.slots) - 1
	}
	for range others {
		buffer, err := mapRing(w.variant, -1)
		if err != nil {
			return err
		}
		w.others = append(w.others, buffer)
	}
	w.times = make([]uint32, mostTimes)
	clear(w.times) // this makes its pages present
	next := (w.index + 1) % len(w.shared.slots)
	w.next = &w.shared.slots[next]
	atomic.AddUint32(&w.slot.token, 0)
	atomic.AddUint32(&w.next.token, 0)
	// This fills the caches, so that the first turn is like the later ones.
	w.walk(w.buffer)
	return becomeBatch(w)
}

// mapBuffer maps memory in small pages, all of them present: private memory if fd is
// negative, otherwise the memory of that descriptor.
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
	// EINVAL means that the kernel was built without huge pages.
	if err := unix.Madvise(mem, unix.MADV_NOHUGEPAGE); err != nil && err != unix.EINVAL {
		return nil, fmt.Errorf("disable huge pages: %w", err)
	}
	if err := unix.Madvise(mem, unix.MADV_POPULATE_WRITE); err != nil {
		return nil, fmt.Errorf("populate %s with pages: %w", sizeName(v.buffer), err)
	}
	return unsafe.Pointer(unsafe.SliceData(mem)), nil
}

// mapRing maps a buffer with mapBuffer and lays out its places.
func mapRing(v Variant, fd int) (unsafe.Pointer, error) {
	buffer, err := mapBuffer(v, fd)
	if err == nil {
		v.layOut(unsafe.Slice((*byte)(buffer), v.buffer))
	}
	return buffer, err
}

// layOut makes a ring of all places, in a shuffled order that is the same in each
// buffer: each place holds the offset of the next one.
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

// walk visits every place of a buffer once.
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

// timedWalk walks through a buffer and keeps the time as the n-th. It keeps no time if n is
// negative or too large.
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

// noTime is the median of no walks. It makes the sum over workers negative, and so the
// figure absent: a worker that had no turn has not taken 0 ns.
const noTime = -1 << 50

// medianTime returns the median of the first n times, which it sorts; noTime if n is 0.
//
//go:nosplit
//go:norace
func (w *worker) medianTime(n int64) int64 {
	n = min(n, int64(len(w.times)))
	if n == 0 {
		return noTime
	}
	times := w.times[:n]
	for gap := len(times) / 2; gap > 0; gap /= 2 { // Shell sort, which needs no stack
		for i := gap; i < len(times); i++ {
			for j := i; j >= gap && times[j-gap] > times[j]; j -= gap {
				times[j-gap], times[j] = times[j], times[j-gap]
			}
		}
	}
	return int64(times[n/2])
}

// walkAlone is worker 0's measurement of walks without switches: it walks through its own
// buffer and then through each of the other ones, again and again. Worker 0 is the last to
// reach the start gate: the other workers sleep there, or are about to.
//
//go:nosplit
//go:norace
func walkAlone(w *worker) (errno syscall.Errno) {
	if w.index != 0 {
		return 0
	}
	for atomic.LoadUint32(&w.shared.head.ready) < uint32(len(w.shared.slots)-1) {
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

// waitForOthers is how long worker 0 sleeps before it checks again, in ns.
const waitForOthers = 100_000

// workingsetBody waits for its turn, walks, and wakes the next worker. Worker 0 has the
// first turn. At the end it starts the stop token on its way round the ring.
//
//go:nosplit
//go:norace
func workingsetBody(w *worker) syscall.Errno {
	token := byte(tokenGo)
	var errno syscall.Errno
	if w.index == 0 {
		w.begin()
	} else {
		token, errno = takeToken(w)
		w.stampStart()
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

// stopNext passes the stop token to the next worker, unless this is the last one.
//
//go:nosplit
//go:norace
func (w *worker) stopNext() syscall.Errno {
	if w.index == len(w.shared.slots)-1 {
		return 0
	}
	atomic.StoreUint32(&w.next.token, tokenStop)
	return w.wakeOne(&w.next.token)
}
