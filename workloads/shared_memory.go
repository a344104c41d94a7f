//go:build linux

package workloads

import (
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sharedMemory is the memory that the tool shares with a trial's hosts: a header, and one
// slot for each worker. The lengths of both are multiples of the cache line, so that no
// two workers write to the same line.
type sharedMemory struct {
	mem   []byte
	head  *header
	slots []slot
}

// header is common to all workers. Its futex words share a page with words
// that every worker writes: a futex call on a page that is mapped but not yet
// writable could sleep in the page fault, which would be an additional switch.
type header struct {
	// gate is 0 while the start gate is shut. Workers wait on it.
	gate uint32
	_    [60]byte
	// events changes whenever something has happened that the tool may wait for.
	events uint32
	// ready and done count the workers that have reached the start and the end gate,
	// failed those whose body failed; these are among the done.
	ready, done, failed uint32
	_                   [48]byte
	// deadline is CLOCK_MONOTONIC in ns, and halfTime the middle between it and
	// the opening of the gate. They are set before the gate opens.
	deadline, halfTime int64
	_                  [48]byte
	// end stays 0: workers that are done wait on it until they are killed.
	end uint32
	_   [60]byte
	// count is a word that the workers of a trial share, and lock its futex.
	count int64
	lock  uint32
	// finished counts the workers whose body has set it when it was done.
	finished uint32
	// seen counts the words of other workers that workers looked for and found, missed
	// those that they did not find.
	seen, missed int64
	_            [32]byte
}

// slot belongs to one worker.
type slot struct {
	// tid and pid are set before the worker counts itself as ready, the fields below
	// before it counts itself as done.
	tid, pid   int32
	errno      uint32
	_          uint32
	operations int64
	// start and end are CLOCK_MONOTONIC in ns.
	start, end int64
	// nice is the worker's nice level, set before it counts itself as ready.
	nice int32
	// token is a futex word: the token that the worker's peer has passed to it, or 0.
	token   uint32
	figures [maxFigures]int64
}

// maxFigures is how many figures of its own a workload can have.
const maxFigures = 10

// sharedSize returns the size in bytes of the shared memory for that many workers.
func sharedSize(workers int) int {
	return int(unsafe.Sizeof(header{})) + workers*int(unsafe.Sizeof(slot{}))
}

// createSharedMemory creates the memory and maps it. It also returns the descriptor by
// which hosts map it; the caller must close that.
func createSharedMemory(workers int) (*sharedMemory, int, error) {
	fd, err := memoryFile("slicetrace-shared", unix.MFD_NOEXEC_SEAL)
	if err != nil {
		return nil, -1, fmt.Errorf("create memory for workers: %w", err)
	}
	if err := unix.Ftruncate(fd, int64(sharedSize(workers))); err != nil {
		unix.Close(fd)
		if errors.Is(err, unix.EFBIG) {
			err = fmt.Errorf("%w: raise the limit on the size of files (ulimit -f)", err)
		}
		return nil, -1, fmt.Errorf("size memory for workers: %w", err)
	}
	m, err := mapSharedMemory(fd, workers)
	if err != nil {
		unix.Close(fd)
		return nil, -1, err
	}
	return m, fd, nil
}

// memoryFile creates a file in memory that may be executed (kind is MFD_EXEC) or not
// (MFD_NOEXEC_SEAL). Since Linux 6.3 a machine can be set to demand one of these flags
// (vm.memfd_noexec); older kernels know neither.
func memoryFile(name string, kind int) (int, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|kind)
	if errors.Is(err, unix.EINVAL) {
		fd, err = unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	}
	return fd, err
}

// mapSharedMemory maps the shared memory behind fd.
func mapSharedMemory(fd, workers int) (*sharedMemory, error) {
	mem, err := unix.Mmap(fd, 0, sharedSize(workers), unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_SHARED|unix.MAP_POPULATE)
	if err != nil {
		return nil, fmt.Errorf("map memory for workers: %w", err)
	}
	head := (*header)(unsafe.Pointer(&mem[0]))
	first := (*slot)(unsafe.Pointer(&mem[unsafe.Sizeof(header{})]))
	return &sharedMemory{mem: mem, head: head, slots: unsafe.Slice(first, workers)}, nil
}

// unmap unmaps the memory, which must not be used afterwards.
func (m *sharedMemory) unmap() error {
	if err := unix.Munmap(m.mem); err != nil {
		return fmt.Errorf("unmap memory for workers: %w", err)
	}
	return nil
}

// open lets all workers through the start gate. Their deadline is duration from now.
func (m *sharedMemory) open(duration time.Duration) {
	now := monotonic()
	m.head.deadline, m.head.halfTime = now+int64(duration), now+int64(duration/2)
	atomic.StoreUint32(&m.head.gate, 1)
	futexWake(&m.head.gate, 1<<30)
}

// notify tells the tool that something has happened.
//
//go:nosplit
//go:norace
func (m *sharedMemory) notify() {
	atomic.AddUint32(&m.head.events, 1)
	futexWake(&m.head.events, 1)
}

// awaitEvent sleeps until the counter of events is no longer seen, or for the timeout.
func (m *sharedMemory) awaitEvent(seen uint32, timeout time.Duration) {
	ts := unix.NsecToTimespec(int64(timeout))
	futexWaitFor(&m.head.events, seen, &ts)
}

// futexWaitFor is futexWait with a time limit, for the tool's own goroutines. It tells Go
// that the call blocks: Go's monitor thread would have to find that out about an ordinary
// call, and would wake some 50 times to do so, on the cores that are measured.
//
//go:nosplit
//go:norace
//go:noinline
func futexWaitFor(word *uint32, value uint32, limit *unix.Timespec) {
	leaveScheduler()
	// The result does not matter: the caller checks what it waits for, however the wait ended.
	syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexOpWait, uintptr(value),
		uintptr(unsafe.Pointer(limit)), 0, 0)
	returnToScheduler()
}

// The futex operations, for words that processes share (linux/futex.h).
const (
	futexOpWait = 0
	futexOpWake = 1
	// futexPrivate marks a word that only threads of one process use.
	futexPrivate = 128
)

// futexWait blocks the thread if *word is value, until a wake or a signal.
//
//go:nosplit
//go:norace
func futexWait(word *uint32, value uint32) {
	syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexOpWait, uintptr(value), 0, 0, 0)
}

// futexWake wakes up to count waiters.
//
//go:nosplit
//go:norace
func futexWake(word *uint32, count int) {
	syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexOpWake, uintptr(count), 0, 0, 0)
}
