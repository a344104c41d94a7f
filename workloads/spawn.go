//go:build linux

package workloads

import (
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
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

// spawnStack is the stack of a created thread, which needs next to none.
const spawnStack = 16 * kib

// spawn creates and ends: on each core a worker creates a task, sleeps until
// the task has ended, and begins again. In threads the task is a thread of
// the worker's process, in processes a fork of it. All are bare system calls (clone,
// wait4 or a futex), no C library and no loader. The task lives for about 1 µs of work.
// One operation is one task created, run and joined.
//
// The other forms are of processes only: exec, a fork that executes a program which
// only exits; vfork, the same without a copy of the parent's page tables, the parent
// waiting until the program begins (CLONE_VM and CLONE_VFORK, as posix_spawn does);
// exec libc, a fork that executes /bin/true, which a loader links with a C library, absent
// where there is none such; and parent + 64 MiB, a plain fork by a parent with that much
// more memory in small pages.
//
// Figures: create_call_ns, the time in clone until it returned in the parent, and
// join_wait_ns, that from there until the task was joined; together they are what an
// operation takes. parent_resident_bytes is the first worker's process's memory before
// the start gate: a fork's cost grows with it.
//
// An operation is 2 voluntary switches: one of the worker, which waits, and the
// task's last one. A worker has one more at the end gate. As in pipe, SCHED_BATCH,
// which the task inherits, keeps a wakeup from preempting. In vfork the worker waits
// for the begin of the program, and may wait for its end once more.
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

// The names of forms that prepareSpawn knows.
const (
	formExec  = "exec"
	formVfork = "vfork"
	formLibc  = "exec libc"
)

func spawnVariants(int) []Variant {
	processes := []Mode{Processes}
	variants := []Variant{
		{},
		{Name: formExec, modes: processes, body: executeAndJoin},
		{Name: formVfork, modes: processes, body: executeAndJoin},
	}
	if libcProgram() != "" {
		variants = append(variants, Variant{Name: formLibc, modes: processes, body: executeAndJoin})
	}
	return append(variants, Variant{Name: "parent + 64 MiB", modes: processes, buffer: 64 * mib})
}

func spawnMissing(int) []string {
	if libcProgram() != "" {
		return nil
	}
	return []string{"no " + formLibc + ", for no /bin/true needs a loader"}
}

// libcProgram is the file of a program that does nothing and needs a loader, "" if
// there is none. The places that it looks in do not depend on the environment, so that
// tool and hosts find the same.
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
	w.program, w.forkFlags = -1, uintptr(unix.SIGCHLD)
	switch w.variant.Name {
	case formVfork:
		w.forkFlags |= unix.CLONE_VM | unix.CLONE_VFORK
		w.program, err = w.openProgram()
	case formExec:
		w.program, err = w.openProgram()
	case formLibc:
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
	w.slot.figures[0], w.slot.figures[1] = 0, 0 // programs were tried
	return becomeBatch(w)
}

// openLibcProgram returns a descriptor of the program, which has been executed once.
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

// noteResident notes the memory of worker 0's process, as that of each.
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

// defaultAction undoes Go's handler of a signal for this process.
func defaultAction(signal syscall.Signal) error {
	var action [4]uint64 // struct sigaction of the kernel: SIG_DFL, no flags, no mask
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(signal), uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0)
	if errno != 0 {
		return fmt.Errorf("set the default action of signal %d: %w", signal, errno)
	}
	return nil
}

// openProgram returns a descriptor of a program that only exits, which has been
// executed once: in memory, or where that is forbidden in a directory.
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
	return -1, fmt.Errorf("make a program to execute: %s: set vm.memfd_noexec to 0, or TMPDIR to a directory that is not mounted noexec",
		strings.Join(causes, "; "))
}

// writeProgram writes a program into a file that others do not find: in memory, or in
// dir if it is not "". It returns a descriptor to execute.
func writeProgram(dir, name string, text []byte) (int, error) {
	var file *os.File
	if dir == "" {
		fd, err := memoryFile(name, unix.MFD_EXEC)
		if err != nil {
			return -1, fmt.Errorf("create: %w", err)
		}
		file = os.NewFile(uintptr(fd), name)
	} else {
		var err error
		if file, err = os.CreateTemp(dir, name+"-*"); err != nil {
			return -1, fmt.Errorf("create: %w", syscallError(err))
		}
		defer os.Remove(file.Name())
		if err := file.Chmod(0o500); err != nil {
			file.Close()
			return -1, fmt.Errorf("create: %w", syscallError(err))
		}
	}
	defer file.Close()
	if _, err := file.Write(text); err != nil {
		return -1, fmt.Errorf("write: %w", syscallError(err))
	}
	// The kernel executes no file that is open for writing.
	readable, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", file.Fd()), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("open: %w", err)
	}
	return readable, nil
}

// syscallError leaves out the name of a temporary file.
func syscallError(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
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
	began := monotonic()
	if tid := cloneTask(threadFlags, w.buffer, &w.alive, -1); tid < 0 {
		return syscall.Errno(-tid)
	}
	created := monotonic()
	for atomic.LoadUint32(&w.alive) != 0 {
		futexWait(&w.alive, 1)
	}
	w.tookSpawn(began, created)
	return 0
}

// tookSpawn adds the parts of an operation whose task was just joined.
//
//go:nosplit
//go:norace
func (w *worker) tookSpawn(began, created int64) {
	w.slot.figures[0] += created - began
	w.slot.figures[1] += monotonic() - created
}

//go:nosplit
//go:norace
func (w *worker) fork(program int) syscall.Errno {
	began := monotonic()
	// A task that shares its memory must not use its stack: a task of cloneTask uses none.
	pid := cloneTask(w.forkFlags, nil, nil, program)
	if pid < 0 {
		return syscall.Errno(-pid)
	}
	created := monotonic()
	_, _, errno := syscall.RawSyscall6(unix.SYS_WAIT4, uintptr(pid), uintptr(unsafe.Pointer(&w.status)), 0, 0, 0, 0)
	if status := syscall.WaitStatus(w.status); errno == 0 && status != 0 {
		// Of all that a task does, only the execution of its program can fail: then its
		// status is why.
		if errno = unix.ENOEXEC; status&0x7f == 0 {
			errno = syscall.Errno(status >> 8)
		}
	}
	w.tookSpawn(began, created)
	return errno
}

// cloneTask creates a task. In the caller it returns the task's tid, or minus
// an errno. The task works for a moment and exits, or executes the program behind
// a descriptor that is not negative; stack is where its stack ends, nil in a
// process.
//
//go:noescape
func cloneTask(flags uintptr, stack unsafe.Pointer, tid *uint32, program int) (task int)
