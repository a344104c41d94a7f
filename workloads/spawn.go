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

// spawnStack is the stack of a created thread, which needs next to none.
const spawnStack = 16 * kib

// spawn creates and ends: on each core a worker creates a task, sleeps until
// the task has ended, and begins again. In threads the task is a thread of
// the worker's process, in processes a fork of it, and in the variant exec, of
// processes only, a fork that executes a program which only exits. All three are
// the bare system calls (clone, wait4 or a futex, execveat), no C library
// and no loader. The task lives for about 1 µs of work. One operation is one
// task created, run and joined.
//
// An operation is 2 voluntary switches: one of the worker, which waits, and the
// task's last one. A worker has one more at the end gate. As in pipe, SCHED_BATCH,
// which the task inherits, keeps a wakeup from preempting.
func spawn() Workload {
	return Workload{
		Name:     "spawn",
		Summary:  "create a task, let it run, join it: a thread or a fork",
		variants: spawnVariants,
		duration: 60 * time.Millisecond,
		perCore:  1,
		pinned:   true,
		prepare:  prepareSpawn,
		body:     spawnAndJoin,
	}
}

func spawnVariants(int) []Variant {
	return []Variant{{}, {Name: "exec", modes: []Mode{Processes}, body: executeAndJoin}}
}

func prepareSpawn(w *worker) error {
	// A signal must find neither a task on a stack that Go does not know, nor a
	// fork of a thread that Go has let go of. A handler for SIGCHLD would wake
	// another thread of the host for each fork that ends.
	all := ^uint64(0)
	if _, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&all)), 0, unsafe.Sizeof(all), 0, 0); errno != 0 {
		return fmt.Errorf("block signals: %w", errno)
	}
	if err := defaultAction(unix.SIGCHLD); err != nil {
		return err
	}
	stack, err := unix.Mmap(-1, 0, spawnStack, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_POPULATE)
	if err != nil {
		return fmt.Errorf("map a stack: %w", err)
	}
	w.buffer = unsafe.Add(unsafe.Pointer(unsafe.SliceData(stack)), spawnStack)
	w.program = -1
	if w.variant.Name == "exec" {
		if w.program, err = openProgram(); err != nil {
			return err
		}
	}
	return becomeBatch(w)
}

// defaultAction undoes Go's handler of a signal for this process.
func defaultAction(signal syscall.Signal) error {
	var action [4]uint64 // struct sigaction of the kernel: SIG_DFL, no flags, no mask
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(signal), uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0)
	if errno != 0 {
		return fmt.Errorf("set the default action of signal %d: %w", signal, errno)
	}
	return nil
}

// openProgram returns a descriptor of a program that only exits.
func openProgram() (int, error) {
	fd, err := unix.MemfdCreate("slicetrace-exit", unix.MFD_EXEC)
	if errors.Is(err, unix.EINVAL) { // before 6.3 every memory file may be executed
		fd, err = unix.MemfdCreate("slicetrace-exit", 0)
	}
	if err != nil {
		return -1, fmt.Errorf("create program: %w", err)
	}
	if _, err := unix.Write(fd, exitProgram()); err != nil {
		return -1, fmt.Errorf("write program: %w", err)
	}
	// The kernel executes no file that is open for writing.
	readable, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", fd), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("open program: %w", err)
	}
	if err := unix.Close(fd); err != nil {
		return -1, fmt.Errorf("close program: %w", err)
	}
	return readable, nil
}

// spawnAndJoin is the body of both modes.
//
//go:nosplit
//go:norace
func spawnAndJoin(w *worker) syscall.Errno {
	w.begin()
	for n := int64(0); !w.over(n); n++ {
		var errno syscall.Errno
		if w.futexScope == futexPrivate {
			errno = w.thread()
		} else {
			errno = w.fork(-1)
		}
		if errno != 0 {
			return errno
		}
		w.operations = n + 1
	}
	return 0
}

//go:nosplit
//go:norace
func executeAndJoin(w *worker) syscall.Errno {
	w.begin()
	for n := int64(0); !w.over(n); n++ {
		if errno := w.fork(w.program); errno != 0 {
			return errno
		}
		w.operations = n + 1
	}
	return 0
}

// threadFlags make a task a thread, as pthread_create does, but for what a C
// library keeps per thread. The kernel clears the word and wakes its futex when
// the thread has ended.
const threadFlags = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_THREAD |
	unix.CLONE_SYSVSEM | unix.CLONE_CHILD_CLEARTID

//go:nosplit
//go:norace
func (w *worker) thread() syscall.Errno {
	w.alive = 1
	if tid := cloneTask(threadFlags, w.buffer, &w.alive, -1); tid < 0 {
		return syscall.Errno(-tid)
	}
	for atomic.LoadUint32(&w.alive) != 0 {
		futexWait(&w.alive, 1)
	}
	return 0
}

//go:nosplit
//go:norace
func (w *worker) fork(program int) syscall.Errno {
	pid := cloneTask(uintptr(unix.SIGCHLD), nil, nil, program)
	if pid < 0 {
		return syscall.Errno(-pid)
	}
	_, _, errno := syscall.RawSyscall6(unix.SYS_WAIT4, uintptr(pid), uintptr(unsafe.Pointer(&w.status)), 0, 0, 0, 0)
	if errno == 0 && w.status != 0 {
		// Of all that a task does, only the execution of its program can fail.
		errno = unix.ENOEXEC
	}
	return errno
}

// cloneTask creates a task. In the caller it returns the task's tid, or minus
// an errno. The task works for a moment and exits, or executes the program behind
// a descriptor that is not negative; stack is where its stack ends, nil in a
// process.
//
//go:noescape
func cloneTask(flags uintptr, stack unsafe.Pointer, tid *uint32, program int) (task int)
