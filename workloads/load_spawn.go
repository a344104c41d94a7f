//go:build linux

package workloads

import (
	"debug/elf"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// spawnStack is the size of a created thread's stack. The thread hardly uses it.
const spawnStack = 16 * kib

// spawn creates tasks: on each core a worker creates a task, sleeps until
// the task has ended, and starts again. In threads the task is a thread of
// the worker's process, in processes it is a fork of it. The worker uses raw system calls
// (clone, wait4 or futex), without a C library or a loader. The task works for about 1 µs.
// One operation is one task created, run and joined.
//
// The other variants exist in processes only:
//
//   - exec: a fork that executes a program which only exits;
//   - vfork: the same without a copy of the parent's page tables, while the parent waits
//     until the program has started (CLONE_VM and CLONE_VFORK, as in posix_spawn);
//   - exec libc: a fork that executes /bin/true, if that is a program that a loader links
//     with a C library;
//   - parent + 64 MiB: a plain fork by a parent that has so much more memory, in small
//     pages.
//
// The figure create_call_ns is the time in clone until it has returned in the parent, and
// join_wait_ns the time from then until the task is joined; together they are the time of
// the operations. parent_resident_bytes is the memory of the first worker's process before
// the start gate: the cost of a fork grows with it.
//
// An operation is 2 voluntary switches: one of the worker, which waits, and the
// task's last one. A worker has one more at the end gate. As in pipe, the policy
// SCHED_BATCH, which the task inherits, prevents a wakeup from preempting. In vfork the
// worker waits until the program has started, and may wait once more for its end.
func spawn() Workload {
	return Workload{
		Name:     "spawn",
		Summary:  "create a task, let it run, join it",
		variants: spawnVariants,
		missing:  spawnMissing,
		duration: 60 * time.Millisecond,
		perCore:  1,
		pinned:   true,
		figures:  []string{"create_call_ns", "join_wait_ns", "parent_resident_bytes"},
		prepare:  prepareSpawn,
		body:     spawnAndJoin,
	}
}

// The names of the variants that execute a program.
const (
	variantExec  = "exec"
	variantVfork = "vfork"
	variantLibc  = "exec libc"
)

func spawnVariants(int) []Variant {
	processes := []Mode{Processes}
	variants := []Variant{
		{},
		{Name: variantExec, modes: processes, body: executeAndJoin},
		{Name: variantVfork, modes: processes, body: executeAndJoin},
	}
	if libcProgram() != "" {
		variants = append(variants, Variant{Name: variantLibc, modes: processes, body: executeAndJoin})
	}
	return append(variants, Variant{Name: "parent + 64 MiB", modes: processes, buffer: 64 * mib})
}

func spawnMissing(int) []string {
	if libcProgram() != "" {
		return nil
	}
	return []string{"no " + variantLibc + ", since no /bin/true here needs a loader"}
}

// libcProgram returns the file name of a program that does nothing and needs a loader, ""
// if there is none. The places in which it looks do not depend on the environment, so that
// the tool and its hosts find the same program.
var libcProgram = sync.OnceValue(func() string {
	for _, name := range []string{"/bin/true", "/usr/bin/true"} {
		file, err := elf.Open(name)
		if err != nil {
			continue
		}
		linked := slices.ContainsFunc(file.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP })
		if file.Close(); linked {
			return name
		}
	}
	return ""
})

func prepareSpawn(w *worker) error {
	// Go's signal handlers must not run in a task whose stack Go does not know, nor in a
	// fork of a thread that has left Go's scheduler. A handler of SIGCHLD would also wake
	// another thread of the host for each fork that ends.
	all := ^uint64(0)
	if errno := setSignalMask(&all, nil); errno != 0 {
		return fmt.Errorf("block signals: %w", errno)
	}
	if err := defaultAction(unix.SIGCHLD); err != nil {
		return err
	}
	stack, err := unix.Mmap(-1, 0, spawnStack, unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_POPULATE)
	if err != nil {
		return fmt.Errorf("map a stack: %w", err)
	}
	w.buffer = unsafe.Add(unsafe.Pointer(unsafe.SliceData(stack)), spawnStack)
	w.program, w.forkFlags = -1, uintptr(unix.SIGCHLD)
	switch w.variant.Name {
	case variantVfork:
		w.forkFlags |= unix.CLONE_VM | unix.CLONE_VFORK
		w.program, err = w.openProgram()
	case variantExec:
		w.program, err = w.openProgram()
	case variantLibc:
		w.program, err = w.openLibcProgram()
	}
	if err != nil {
		return err
	}
	if w.variant.buffer > 0 {
		if _, err := mapBuffer(w.variant, -1); err != nil {
			return err
		}
	}
	if err := w.noteResident(); err != nil {
		return err
	}
	w.slot.figures[0], w.slot.figures[1] = 0, 0 // forget the test runs of programs
	return becomeBatch(w)
}

// openLibcProgram returns a descriptor of the program, after it has executed it once.
func (w *worker) openLibcProgram() (int, error) {
	fd, err := unix.Open(libcProgram(), unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("open %s: %w", libcProgram(), err)
	}
	if errno := w.fork(fd); errno != 0 {
		unix.Close(fd)
		return -1, fmt.Errorf("execute %s: %w", libcProgram(), errno)
	}
	return fd, nil
}

// noteResident stores the resident memory of worker 0's process. Those of other workers
// are like it.
func (w *worker) noteResident() error {
	if w.index != 0 {
		return nil
	}
	text, err := readProc("/proc/self/statm")
	if err != nil {
		return fmt.Errorf("read memory: %w", err)
	}
	var total, resident int64
	if _, err := fmt.Sscan(text, &total, &resident); err != nil {
		return fmt.Errorf("read memory: parse /proc/self/statm: %w", err)
	}
	w.slot.figures[2] = resident * int64(os.Getpagesize())
	return nil
}

// defaultAction removes Go's handler of a signal in this process.
func defaultAction(signal syscall.Signal) error {
	if errno := setAction(signal, &sigaction{}, nil); errno != 0 {
		return fmt.Errorf("set the default action of signal %d: %w", signal, errno)
	}
	return nil
}

// openProgram returns a descriptor of a program that only exits, after it has executed
// it once. The program is in memory, or in a directory if the kernel refuses to execute
// programs in memory.
func (w *worker) openProgram() (int, error) {
	var causes []string
	places := make(map[string][]string)
	for _, dir := range []string{"", os.TempDir(), "/dev/shm", "/var/tmp", "/run"} {
		fd, err := writeProgram(dir, "slicetrace-exit", exitProgram())
		if err == nil {
			errno := w.fork(fd)
			if errno == 0 {
				return fd, nil
			}
			unix.Close(fd)
			err = fmt.Errorf("execute: %w", errno)
		}
		if dir == "" {
			dir = "memory"
		}
		if cause := err.Error(); !slices.Contains(causes, cause) {
			causes = append(causes, cause)
		}
		places[err.Error()] = append(places[err.Error()], dir)
	}
	for i, cause := range causes {
		causes[i] = cause + " in " + strings.Join(places[cause], ", ")
	}
	return -1, fmt.Errorf("make a program to execute: %s: set vm.memfd_noexec to 0, or TMPDIR to a directory "+
		"that is not mounted noexec", strings.Join(causes, "; "))
}

// spawnAndJoin creates tasks that execute no program, in both modes.
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

// threadFlags make a task a thread. They are those of pthread_create, without those for
// a C library's own data. With CLONE_CHILD_CLEARTID the kernel clears a word and wakes
// its futex when the thread has ended.
const threadFlags = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_THREAD |
	unix.CLONE_SYSVSEM | unix.CLONE_CHILD_CLEARTID

//go:nosplit
//go:norace
func (w *worker) thread() syscall.Errno {
	w.alive = 1
	began := monotonic()
	if tid := cloneTask(threadFlags, w.buffer, &w.alive, -1); tid < 0 {
		return syscall.Errno(-tid)
	}
	created := monotonic()
	for atomic.LoadUint32(&w.alive) != 0 {
		futexWait(&w.alive, 1)
	}
	w.addSpawnTimes(began, created)
	return 0
}

// addSpawnTimes adds the times of an operation whose task was just joined to the figures.
//
//go:nosplit
//go:norace
func (w *worker) addSpawnTimes(began, created int64) {
	w.slot.figures[0] += created - began
	w.slot.figures[1] += monotonic() - created
}

//go:nosplit
//go:norace
func (w *worker) fork(program int) syscall.Errno {
	began := monotonic()
	// With CLONE_VM the task has this thread's stack. That is safe, since the task of
	// cloneTask does not use its stack.
	pid := cloneTask(w.forkFlags, nil, nil, program)
	if pid < 0 {
		return syscall.Errno(-pid)
	}
	created := monotonic()
	_, _, errno := syscall.RawSyscall6(unix.SYS_WAIT4, uintptr(pid), uintptr(unsafe.Pointer(&w.status)),
		0, 0, 0, 0)
	if status := syscall.WaitStatus(w.status); errno == 0 && status != 0 {
		// Only the execution of a program can fail in a task. Then the exit status is the
		// errno.
		if errno = unix.ENOEXEC; status&0x7f == 0 {
			errno = syscall.Errno(status >> 8)
		}
	}
	w.addSpawnTimes(began, created)
	return errno
}

// cloneTask creates a task. In the caller it returns the task's tid, or a negative
// errno. The task works for a moment. Then it exits, or executes the program behind the
// descriptor program if that is not negative. stack is the end of the task's stack, nil
// for a process.
//
//go:noescape
func cloneTask(flags uintptr, stack unsafe.Pointer, tid *uint32, program int) (task int)
