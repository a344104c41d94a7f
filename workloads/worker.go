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
	shared   *sharedMemory
	slot     *slot
	workload Workload
	variant  Variant
	// peer is the slot of the pair's other worker, nil in workloads without pairs.
	peer *slot
	body func(*worker) syscall.Errno
	// index is the worker's number in the trial.
	index int
	// cpus are the cores it may run on.
	cpus []CPU
	// nice is added to the tool's own nice level.
	nice int
	// fds are the descriptors that the workload's open has created for it.
	fds []int
	// limit is the number of operations to do, -1 to work until the deadline.
	limit int64
	// rehearsing is true while the body runs before the start gate.
	rehearsing bool
	// futexScope is futexPrivate if the workers are threads of one process.
	futexScope uintptr

	// operations is how many operations the body has completed.
	operations int64
	// message is the buffer of a body that passes bytes.
	message [messageBytes]byte
	// timer is the argument of a body's system call that sleeps.
	timer unix.Timespec
	// buffer is the worker's own memory, and next the slot of the worker that has the next
	// turn, in workloads that use these.
	buffer unsafe.Pointer
	next   *slot
	// others are the buffers through which worker 0 walks in place of the other workers,
	// and times are the durations of walks, in ns.
	others []unsafe.Pointer
	times  []uint32
	// program is the descriptor of the program that a created task executes, forkFlags are
	// the flags of its clone, alive is the word that the kernel clears when it ends, and
	// status is how it ended.
	program   int
	forkFlags uintptr
	alive     uint32
	status    int32
	// kept holds a body's result, so that the compiler does not remove the work.
	kept uint64
}

// run makes the goroutine's thread the worker, takes it away from Go's scheduler, and
// works. It returns only if the worker could not be prepared.
func (w *worker) run() error {
	runtime.LockOSThread()
	if err := w.prepare(); err != nil {
		return fmt.Errorf("prepare worker %d of %s: %w", w.index, w.workload.Name, err)
	}
	growStack()
	w.runBody()
	return nil
}

// prepare does everything that must happen before the start gate.
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
		set.Set(int(cpu))
	}
	if err := unix.SchedSetaffinityDynamic(0, set); err != nil {
		if err == unix.EINVAL {
			return fmt.Errorf("set affinity to cores %v: %w "+
				"(none is online and in this control group's cpuset)", w.cpus, err)
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
	// The system call returns 20 minus the nice level, which is never negative.
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

// growStack makes the goroutine's stack at least 64 KiB large and touches its pages: once
// the worker has left the scheduler, Go can neither grow nor check its stack.
//
//go:noinline
func growStack() {
	var room [64 << 10]byte
	runtime.KeepAlive(&room)
}

// runBody takes the worker from the start gate to the end gate and waits there until the
// process is killed. It never returns: to Go it is one system call.
//
//go:norace
//go:noinline
func (w *worker) runBody() {
	leaveScheduler()
	head := w.shared.head
	errno := w.rehearse()
	if atomic.AddUint32(&head.ready, 1) == uint32(len(w.shared.slots)) {
		w.shared.notify()
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
	// In a fatal workload no worker can know whether it is the last one.
	if errno != 0 || done == uint32(len(w.shared.slots)) || w.workload.fatal {
		w.shared.notify()
	}
	for {
		futexWait(&head.end, 0)
	}
}

// rehearse does the workload's rehearsal, if it has one.
//
//go:nosplit
//go:norace
func (w *worker) rehearse() syscall.Errno {
	if w.workload.rehearse == nil {
		return 0
	}
	return w.workload.rehearse(w)
}

// rehearseBody runs the body once, for a number of operations, as if the gate were open,
// and discards what it counted.
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

// begin waits at the start gate and then notes the time.
//
//go:nosplit
//go:norace
func (w *worker) begin() {
	if w.rehearsing {
		w.stampStart()
		return
	}
	for atomic.LoadUint32(&w.shared.head.gate) == 0 {
		futexWait(&w.shared.head.gate, 0)
	}
	w.stampStart()
}

// stampStart notes the time at which the worker started. It is called by bodies that a
// peer's first message starts, instead of begin.
//
//go:nosplit
//go:norace
func (w *worker) stampStart() { w.slot.start = monotonic() }

// over reports whether the worker must stop after n operations.
//
//go:nosplit
//go:norace
func (w *worker) over(n int64) bool {
	if w.limit >= 0 {
		return n >= w.limit
	}
	return monotonic() >= w.shared.head.deadline
}

// comm returns a worker's thread name, "st-pipe-0", with the workload's name
// cut so that the number fits into the kernel's 15 bytes.
func comm(workload string, index int) string {
	const prefix, longest = "st-", 15
	number := fmt.Sprintf("-%d", index)
	room := longest - len(prefix) - len(number)
	return prefix + workload[:min(room, len(workload))] + number
}
