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

// board is the memory that the tool shares with a trial's hosts: a header and one
// slot for each worker. Lengths are multiples of the cache line, so that no
// two workers write to the same one.
type board struct {
	mem   []byte
	head  *header
	slots []slot
}

// header is common to all workers. Its futex words share a page with words
// that every worker writes: a futex call on a page that is mapped but not yet
// writable could sleep on the way in, which would be a switch too many.
type header struct {
	// gate is 0 while the start gate is shut. Workers wait on it.
	gate uint32
	_    [60]byte
	// bell changes whenever something happened that the tool may wait for.
	bell uint32
	// ready and done count the workers that are at the start and end gates,
	// failed those whose body failed; they are among the done.
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
	// finished counts the workers whose body says that it is done.
	finished uint32
	// seen counts the words of others that workers looked for and found, missed those
	// that they did not find.
	seen, missed int64
	_            [32]byte
}

// slot is one worker's own.
type slot struct {
	// tid and pid are set before the worker counts itself ready, the rest
	// before it counts itself done.
	tid, pid   int32
	errno      uint32
	_          uint32
	operations int64
	// start and end are CLOCK_MONOTONIC in ns.
	start, end int64
	// nice is the worker's nice level, set before it counts itself ready.
	nice int32
	// token is a futex word: what the worker's peer handed over, 0 for nothing.
	token   uint32
	figures [maxFigures]int64
}

// maxFigures is how many figures of its own a workload can have.
const maxFigures = 10

// boardSize returns the bytes that a board for that many workers takes.
func boardSize(workers int) int {
	return int(unsafe.Sizeof(header{})) + workers*int(unsafe.Sizeof(slot{}))
}

// createBoard makes a board and returns the descriptor to map it by, which is
// the caller's to close.
func createBoard(workers int) (*board, int, error) {
	fd, err := memoryFile("slicetrace-board", unix.MFD_NOEXEC_SEAL)
	if err != nil {
		return nil, -1, fmt.Errorf("create memory for workers: %w", err)
	}
	if err := unix.Ftruncate(fd, int64(boardSize(workers))); err != nil {
		unix.Close(fd)
		if errors.Is(err, unix.EFBIG) {
			err = fmt.Errorf("%w: raise the limit on the size of files (ulimit -f)", err)
		}
		return nil, -1, fmt.Errorf("size memory for workers: %w", err)
	}
	b, err := mapBoard(fd, workers)
	if err != nil {
		unix.Close(fd)
		return nil, -1, err
	}
	return b, fd, nil
}

// memoryFile makes a file in memory that may be executed (MFD_EXEC) or not
// (MFD_NOEXEC_SEAL): since 6.3 a machine may demand that it is said.
func memoryFile(name string, kind int) (int, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|kind)
	if errors.Is(err, unix.EINVAL) {
		fd, err = unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	}
	return fd, err
}

// mapBoard maps the board behind fd.
func mapBoard(fd, workers int) (*board, error) {
	mem, err := unix.Mmap(fd, 0, boardSize(workers), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE)
	if err != nil {
		return nil, fmt.Errorf("map memory for workers: %w", err)
	}
	head := (*header)(unsafe.Pointer(&mem[0]))
	first := (*slot)(unsafe.Pointer(&mem[unsafe.Sizeof(header{})]))
	return &board{mem: mem, head: head, slots: unsafe.Slice(first, workers)}, nil
}

// unmap gives the memory back; nobody may use the board any more.
func (b *board) unmap() error {
	if err := unix.Munmap(b.mem); err != nil {
		return fmt.Errorf("unmap memory for workers: %w", err)
	}
	return nil
}

// open lets all workers through the start gate, for that long.
func (b *board) open(duration time.Duration) {
	now := monotonic()
	b.head.deadline, b.head.halfTime = now+int64(duration), now+int64(duration/2)
	atomic.StoreUint32(&b.head.gate, 1)
	futexWake(&b.head.gate, 1<<30)
}

// ring tells the tool that something happened.
//
//go:nosplit
//go:norace
func (b *board) ring() {
	atomic.AddUint32(&b.head.bell, 1)
	futexWake(&b.head.bell, 1)
}

// await sleeps until the bell no longer reads heard, or for the timeout.
func (b *board) await(heard uint32, timeout time.Duration) {
	ts := unix.NsecToTimespec(int64(timeout))
	sleepOn(&b.head.bell, heard, &ts)
}

// sleepOn is futexWait with a limit, for the tool's own goroutines. Go is told
// that the call blocks: of an ordinary one it would have to find out, and its
// monitor thread would wake some 50 times meanwhile, on the cores that are measured.
//
//go:nosplit
//go:norace
//go:noinline
func sleepOn(word *uint32, value uint32, limit *unix.Timespec) {
	leaveScheduler()
	// Whatever ends the wait, the caller looks for itself.
	syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexOpWait, uintptr(value), uintptr(unsafe.Pointer(limit)), 0, 0)
	returnToScheduler()
}

// The futex operations, for words that processes share (linux/futex.h).
const (
	futexOpWait = 0
	futexOpWake = 1
	// futexPrivate marks a word that only threads of one process use.
	futexPrivate = 128
)

// futexWait blocks its thread while *word is value, until a wake or a signal.
//
//go:nosplit
//go:norace
func futexWait(word *uint32, value uint32) {
	syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexOpWait, uintptr(value), 0, 0, 0)
}

// futexWake wakes at most count waiters.
//
//go:nosplit
//go:norace
func futexWake(word *uint32, count int) {
	syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexOpWake, uintptr(count), 0, 0, 0)
}
