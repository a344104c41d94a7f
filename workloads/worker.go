//go:build linux

package workloads

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// worker is one worker as its host and its body see it.
type worker struct {
	board    *board
	slot     *slot
	workload Workload
	variant  Variant
	// peer is the slot of the other of a pair, nil in workloads without pairs.
	peer *slot
	body func(*worker) syscall.Errno
	// index is the worker's number in the trial.
	index int
	// cpus are the cores it may run on.
	cpus []int
	// nice is added to the tool's own nice level.
	nice int
	// fds are the descriptors that the workload's open made for it.
	fds []int
	// limit is the number of operations to do, -1 to work until the deadline.
	limit int64
	// rehearsing says that the body runs before the start gate.
	rehearsing bool
	// futexScope is futexPrivate if the workers are threads of one process.
	futexScope uintptr

	// operations is what the body completed.
	operations int64
	// message is the buffer of a body that passes bytes.
	message [messageBytes]byte
	// timer is how long a body that waits for time asks to sleep.
	timer unix.Timespec
	// buffer is memory of the worker's own, and next the slot of the worker whose
	// turn follows, in workloads that have them.
	buffer unsafe.Pointer
	next   *slot
	// others are as many more buffers as worker 0 walks through in place of the other
	// workers, and times what walks took, in ns.
	others []unsafe.Pointer
	times  []uint32
	// program is the descriptor of what a created task executes, forkFlags how it
	// is forked, alive the word
	// that the kernel clears when it ends, and status how it ended.
	program   int
	forkFlags uintptr
	alive     uint32
	status    int32
	// kept holds a body's result, so that no compiler drops the work.
	kept uint64
}

// live takes the goroutine's thread for good: it makes it the worker, lets Go
// forget it, and works. It returns only if the worker could not be prepared.
func (w *worker) live() error {
	runtime.LockOSThread()
	if err := w.prepare(); err != nil {
		return fmt.Errorf("prepare worker %d of %s: %w", w.index, w.workload.Name, err)
	}
	growStack()
	w.perform()
	return nil
}

// prepare does all that must not fall between the gates.
func (w *worker) prepare() error {
	name, err := unix.BytePtrFromString(comm(w.workload.Name, w.index))
	if err != nil {
		return fmt.Errorf("name thread: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(name)), 0, 0, 0); err != nil {
		return fmt.Errorf("name thread: %w", err)
	}
	set := unix.NewCPUSet(mostCPUs)
	for _, cpu := range w.cpus {
		set.Set(cpu)
	}
	if err := unix.SchedSetaffinityDynamic(0, set); err != nil {
		if err == unix.EINVAL {
			return fmt.Errorf("set affinity to cores %v: %w (none is online and in this control group's cpuset)", w.cpus, err)
		}
		return fmt.Errorf("set affinity to cores %v: %w", w.cpus, err)
	}
	if err := w.renice(); err != nil {
		return err
	}
	w.slot.tid, w.slot.pid = int32(unix.Gettid()), int32(unix.Getpid())
	if w.workload.prepare == nil {
		return nil
	}
	return w.workload.prepare(w)
}

// renice lowers the thread's priority by the worker's nice level.
func (w *worker) renice() error {
	// The system call answers 20 less the nice level, which is never negative.
	inverse, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err != nil {
		return fmt.Errorf("read nice level: %w", err)
	}
	nice := min(20-inverse+w.nice, 19)
	w.slot.nice = int32(nice)
	if w.nice == 0 {
		return nil
	}
	if err := unix.Setpriority(unix.PRIO_PROCESS, 0, nice); err != nil {
		return fmt.Errorf("set nice level %d: %w", nice, err)
	}
	return nil
}

// growStack leaves the goroutine a stack of at least 64 KiB with its pages
// touched: once the worker has left the scheduler its stack can neither
// grow nor be checked.
//
//go:noinline
func growStack() {
	var room [64 << 10]byte
	runtime.KeepAlive(&room)
}

// perform is the worker's life from the start gate to its end. It never returns:
// to Go it is one system call.
//
//go:norace
//go:noinline
func (w *worker) perform() {
	leaveScheduler()
	head := w.board.head
	errno := w.rehearse()
	if atomic.AddUint32(&head.ready, 1) == uint32(len(w.board.slots)) {
		w.board.ring()
	}
	if errno == 0 {
		errno = w.body(w)
	}
	w.slot.end = monotonic()
	w.slot.operations = w.operations
	w.slot.errno = uint32(errno)
	if errno != 0 {
		atomic.AddUint32(&head.failed, 1)
	}
	done := atomic.AddUint32(&head.done, 1)
	// Where some may die, none of them knows whether it is the last.
	if errno != 0 || done == uint32(len(w.board.slots)) || w.workload.fatal {
		w.board.ring()
	}
	for {
		futexWait(&head.end, 0)
	}
}

// rehearse lets the worker do before the start gate what is not to be measured.
//
//go:nosplit
//go:norace
func (w *worker) rehearse() syscall.Errno {
	if w.workload.rehearse == nil {
		return 0
	}
	return w.workload.rehearse(w)
}

// rehearseBody runs through the body once, for that many operations, as if the gate
// were open.
//
//go:nosplit
//go:norace
func (w *worker) rehearseBody(operations int64) syscall.Errno {
	limit := w.limit
	w.limit, w.rehearsing = operations, true
	errno := w.body(w)
	w.limit, w.rehearsing, w.operations, w.slot.start = limit, false, 0, 0
	return errno
}

// begin waits at the start gate and stamps the start.
//
//go:nosplit
//go:norace
func (w *worker) begin() {
	if w.rehearsing {
		w.began()
		return
	}
	for atomic.LoadUint32(&w.board.head.gate) == 0 {
		futexWait(&w.board.head.gate, 0)
	}
	w.began()
}

// began stamps the start of a worker that a peer's first message let through.
//
//go:nosplit
//go:norace
func (w *worker) began() { w.slot.start = monotonic() }

// over reports whether the worker, n operations done, has to stop.
//
//go:nosplit
//go:norace
func (w *worker) over(n int64) bool {
	if w.limit >= 0 {
		return n >= w.limit
	}
	return monotonic() >= w.board.head.deadline
}

// comm returns a worker's thread name, "st-pipe-0", with the workload's name
// cut so that the number fits into the kernel's 15 bytes.
func comm(workload string, index int) string {
	const prefix, longest = "st-", 15
	number := fmt.Sprintf("-%d", index)
	room := longest - len(prefix) - len(number)
	return prefix + workload[:min(room, len(workload))] + number
}
