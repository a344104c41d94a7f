//go:build linux

package workloads

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// hostProgram is this very program, even if its file was replaced or removed.
const hostProgram = "/proc/self/exe"

// fleet is a trial's host processes. They form a process group of their own: the
// tool can wait for and kill just them, and a terminal's Ctrl-C reaches the tool,
// which then ends the trial in good order.
type fleet struct {
	trial Trial
	pids  []int
	// stderr is the descriptor of the memory file that is every host's
	// standard error.
	stderr int
	// oomKills is how many processes the kernel had ended for want of memory before.
	oomKills uint64
	// reaped is closed when every host is gone.
	reaped chan struct{}

	mu sync.Mutex
	// fallen describes the first host that ended and should not have.
	fallen error
	// fatal says that the first host is to end by SIGSEGV, and crashed when it
	// did, by CLOCK_MONOTONIC; 0 if it did not.
	fatal   bool
	crashed time.Duration
	// stopped says since when hosts are stopped by a signal, and by which; paused
	// are those that ever were, since startPauses.
	stopped map[int]stop
	paused  map[int]bool
}

// stop is the begin of a host's standstill.
type stop struct {
	signal syscall.Signal
	since  time.Time
}

// launch starts the trial's hosts. The signal that kills hosts with the tool is
// tied to the starting thread (go.dev/issue/27505), so the caller must be
// locked to its thread until dismiss has returned. fds are the workers'
// descriptors. After each host's end, report is called.
func launch(t Trial, user *Credential, boardFD int, fds [][]int, report func()) (*fleet, error) {
	f := &fleet{trial: t, oomKills: oomKills(), reaped: make(chan struct{}), stopped: make(map[int]stop), paused: make(map[int]bool)}
	null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", os.DevNull, err)
	}
	defer unix.Close(null)
	f.stderr, err = memoryFile("slicetrace-stderr", unix.MFD_NOEXEC_SEAL)
	if err != nil {
		return nil, fmt.Errorf("create memory for errors of hosts: %w", err)
	}
	each := 1
	if t.Mode == Threads {
		each = t.Workers
	}
	files := []uintptr{uintptr(null), uintptr(null), uintptr(f.stderr), uintptr(boardFD)}
	for first := 0; first < t.Workers && err == nil; first += each {
		err = f.start(first, fds[first:first+each], files, user)
	}
	go f.reap(report)
	if err != nil {
		return nil, errors.Join(err, f.dismiss())
	}
	return f, nil
}

// start starts the host of the workers from first on, one for each of fds.
func (f *fleet) start(first int, fds [][]int, files []uintptr, user *Credential) error {
	spec := hostSpec{Trial: f.trial, First: first, Parent: os.Getpid()}
	files = files[:len(files):len(files)]
	for _, own := range fds {
		numbers := make([]int, len(own))
		for i, fd := range own {
			numbers[i] = len(files)
			files = append(files, uintptr(fd))
		}
		spec.FDs = append(spec.FDs, numbers)
	}
	text, err := json.Marshal(spec)
	if err != nil {
		return fmt.Errorf("encode orders for workers: %w", err)
	}
	attr := &syscall.ProcAttr{
		// A host needs one processor of Go's: it only prepares its workers.
		Env:   []string{hostVariable + "=" + string(text), "GOMAXPROCS=1", "GOGC=off", "GODEBUG=asyncpreemptoff=1", "TMPDIR=" + os.TempDir()},
		Files: files,
		Sys:   &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true, Credential: user.system()},
	}
	if len(f.pids) > 0 {
		attr.Sys.Pgid = f.pids[0]
	}
	pid, err := syscall.ForkExec(hostProgram, []string{"slicetrace-host"}, attr)
	if err != nil {
		return fmt.Errorf("start host of %s: %w%s", f.crew(len(f.pids)), err, taskHint(err))
	}
	f.pids = append(f.pids, pid)
	return nil
}

// reap waits for the hosts, all of them, and notes the first that ends, and
// which stand still.
func (f *fleet) reap(report func()) {
	defer close(f.reaped)
	for left := len(f.pids); left > 0; {
		var status syscall.WaitStatus
		pid, err := wait4(-f.pids[0], &status)
		if err != nil {
			f.note(fmt.Errorf("wait for worker hosts: %w", err))
			report()
			return
		}
		if i := slices.Index(f.pids, pid); status.Stopped() || status.Continued() {
			f.pause(i, status)
		} else {
			left--
			if !f.crash(i, status) {
				f.note(fmt.Errorf("host of %s (pid %d) %s%s%s", f.crew(i), pid, describe(status), f.wantOfMemory(status), f.complaint()))
			}
		}
		report()
	}
}

func (f *fleet) note(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fallen == nil {
		f.fallen = err
	}
}

// pause notes that a host stands still, or no longer does.
func (f *fleet) pause(host int, status syscall.WaitStatus) {
	f.mu.Lock()
	defer f.mu.Unlock()
	// Of a short stop the kernel may report only the end.
	f.paused[host] = true
	if status.Continued() {
		delete(f.stopped, host)
		return
	}
	f.stopped[host] = stop{status.StopSignal(), time.Now()}
}

// startPauses forgets the pauses that are over.
func (f *fleet) startPauses() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.paused)
	for host := range f.stopped {
		f.paused[host] = true
	}
}

// pausedWorkers returns the workers whose host stood still since startPauses.
func (f *fleet) pausedWorkers() []int {
	f.mu.Lock()
	defer f.mu.Unlock()
	var workers []int
	for i := range f.trial.Workers {
		host := i
		if f.trial.Mode == Threads {
			host = 0
		}
		if f.paused[host] {
			workers = append(workers, i)
		}
	}
	return workers
}

// patience returns how long the hosts that stand still may go on to do so.
func (f *fleet) patience() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	left := longest
	for _, s := range f.stopped {
		left = min(left, max(time.Millisecond, stopLimit-time.Since(s.since)))
	}
	return left
}

// expectCrash says that from now on the first host is to end by SIGSEGV.
func (f *fleet) expectCrash() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fatal = true
}

// crash notes the end of a host if it is the one that is expected.
func (f *fleet) crash(host int, status syscall.WaitStatus) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.fatal || host != 0 || !status.Signaled() || status.Signal() != unix.SIGSEGV {
		return false
	}
	f.crashed = time.Duration(monotonic())
	return true
}

// crashedAt returns when the workers from 0 to below lost died in the crash that
// was expected; lost is 0 as long as they live.
func (f *fleet) crashedAt() (at time.Duration, lost int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.crashed == 0:
		return 0, 0
	case f.trial.Mode == Threads:
		return f.crashed, f.trial.Workers
	}
	return f.crashed, 1
}

// trouble returns what became of the first host that ended without being
// expected to, or stands still for too long; nil if all live.
func (f *fleet) trouble() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fallen != nil {
		return f.fallen
	}
	for host, pid := range f.pids {
		if s, ok := f.stopped[host]; ok && time.Since(s.since) >= stopLimit {
			return fmt.Errorf("host of %s (pid %d) was stopped by %s and not continued within %v: see who stops it, and run again",
				f.crew(host), pid, unix.SignalName(s.signal), stopLimit)
		}
	}
	return nil
}

// wantOfMemory says so if the kernel may have ended a process because memory was short.
func (f *fleet) wantOfMemory(status syscall.WaitStatus) string {
	if !status.Signaled() || status.Signal() != unix.SIGKILL || oomKills() == f.oomKills {
		return ""
	}
	return " while the kernel ended processes for want of memory: give it more, or ask for fewer workers"
}

// crew names the workers of the nth host.
func (f *fleet) crew(n int) string {
	if f.trial.Mode == Threads {
		return fmt.Sprintf("all %d workers of %s", f.trial.Workers, f.trial.Workload)
	}
	return fmt.Sprintf("worker %d of %s", n, f.trial.Workload)
}

// complaint returns the first line that a host wrote to its standard error.
func (f *fleet) complaint() string {
	var text [512]byte
	n, err := unix.Pread(f.stderr, text[:], 0)
	if err != nil || n == 0 {
		return ""
	}
	line, _, _ := bytes.Cut(text[:n], []byte("\n"))
	hint := ""
	// What Go and a C library say before they give up.
	if bytes.Contains(line, []byte("failed to create new OS thread")) || bytes.Contains(line, []byte("pthread_create failed")) {
		hint = taskHint(syscall.EAGAIN)
	}
	return ": " + string(line) + hint
}

// dismiss kills the hosts and returns when all are gone.
func (f *fleet) dismiss() error {
	if len(f.pids) > 0 {
		// ESRCH: they are gone already.
		if err := unix.Kill(-f.pids[0], unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("kill worker hosts: %w", err)
		}
	}
	<-f.reaped
	unix.Close(f.stderr)
	return nil
}

// describe says in words how a process ended.
func describe(status syscall.WaitStatus) string {
	if status.Signaled() {
		return fmt.Sprintf("was ended by signal %d (%s)", int(status.Signal()), status.Signal())
	}
	return fmt.Sprintf("exited with status %d", status.ExitStatus())
}

// wait4 waits until a child of the group pid ends, is stopped or continued, through
// interruptions. As in sleepOn, Go is told that it blocks.
func wait4(pid int, status *syscall.WaitStatus) (int, error) {
	for {
		got, errno := blockInWait4(pid, status)
		if errno == 0 {
			return int(got), nil
		}
		if errno != syscall.EINTR {
			return -1, errno
		}
	}
}

//go:nosplit
//go:norace
//go:noinline
func blockInWait4(pid int, status *syscall.WaitStatus) (uintptr, syscall.Errno) {
	leaveScheduler()
	got, _, errno := syscall.RawSyscall6(unix.SYS_WAIT4, uintptr(pid), uintptr(unsafe.Pointer(status)), unix.WUNTRACED|unix.WCONTINUED, 0, 0, 0)
	returnToScheduler()
	return got, errno
}

// system returns the form that package syscall wants.
func (c *Credential) system() *syscall.Credential {
	if c == nil {
		return nil
	}
	return &syscall.Credential{Uid: c.UID, Gid: c.GID, Groups: c.Groups}
}
