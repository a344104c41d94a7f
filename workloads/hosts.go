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

	"golang.org/x/sys/unix"
)

// hostProgram is this same program, even if its file was replaced or removed.
const hostProgram = "/proc/self/exe"

// hostGroup is a trial's host processes. They form a process group of their own: the
// tool can wait for and kill just them, and a terminal's Ctrl-C reaches only the tool,
// which then ends the trial in order.
type hostGroup struct {
	trial Trial
	pids  []int
	// stderr is the descriptor of the memory file that is every host's
	// standard error.
	stderr int
	// oomKills is how many processes the kernel had killed for lack of memory before.
	oomKills uint64
	// reaped is closed when every host has ended and been waited for.
	reaped chan struct{}

	mu sync.Mutex
	// left is how many hosts have not ended.
	left int
	// firstFailure describes the first host that ended unexpectedly.
	firstFailure error
	// fatal means that the first host is expected to end by SIGSEGV. crashed is when it
	// did, by CLOCK_MONOTONIC; 0 if it has not.
	fatal   bool
	crashed time.Duration
	// stopped are the hosts that a signal has stopped and nobody has continued, paused
	// those that have been stopped at any time since resetPaused.
	stopped map[int]stop
	paused  map[int]bool
}

// stop is when a signal stopped a host, and which one.
type stop struct {
	signal syscall.Signal
	since  time.Time
}

// startHosts starts the trial's hosts. The signal that kills hosts when the tool dies is
// tied to the thread that starts them (go.dev/issue/27505), so the caller must be
// locked to its thread until killAll has returned. fds are the workers'
// descriptors. changed is called whenever a host has ended, stopped or continued.
func startHosts(t Trial, user *Credential, sharedFD int, fds [][]int, changed func()) (*hostGroup, error) {
	h := &hostGroup{
		trial: t, oomKills: oomKills(), reaped: make(chan struct{}),
		stopped: make(map[int]stop), paused: make(map[int]bool),
	}
	null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", os.DevNull, err)
	}
	defer unix.Close(null)
	h.stderr, err = memoryFile("slicetrace-stderr", unix.MFD_NOEXEC_SEAL)
	if err != nil {
		return nil, fmt.Errorf("create memory for errors of hosts: %w", err)
	}
	each := 1
	if t.Mode == Threads {
		each = t.Workers
	}
	files := []uintptr{uintptr(null), uintptr(null), uintptr(h.stderr), uintptr(sharedFD)}
	for first := 0; first < t.Workers && err == nil; first += each {
		err = h.start(first, fds[first:first+each], files, user)
	}
	h.left = len(h.pids)
	go h.reap(changed)
	if err != nil {
		return nil, errors.Join(err, h.killAll())
	}
	return h, nil
}

// start starts the host of the workers from first on, one worker for each element of fds.
func (h *hostGroup) start(first int, fds [][]int, files []uintptr, user *Credential) error {
	spec := hostSpec{Trial: h.trial, First: first, Parent: os.Getpid()}
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
		return fmt.Errorf("encode settings of worker host: %w", err)
	}
	attr := &syscall.ProcAttr{
		// GOMAXPROCS is 1 since a host's Go code only prepares the workers.
		Env: []string{
			hostVariable + "=" + string(text), "GOMAXPROCS=1", "GOGC=off",
			"GODEBUG=asyncpreemptoff=1", "TMPDIR=" + os.TempDir(),
		},
		Files: files,
		Sys:   &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true, Credential: user.system()},
	}
	if len(h.pids) > 0 {
		attr.Sys.Pgid = h.pids[0]
	}
	pid, err := syscall.ForkExec(hostProgram, []string{"slicetrace-host"}, attr)
	if err != nil {
		return fmt.Errorf("start host of %s: %w%s", h.workersOf(len(h.pids)), err, taskHint(err))
	}
	h.pids = append(h.pids, pid)
	return nil
}

// reap waits until all hosts have ended. After each event it calls changed.
func (h *hostGroup) reap(changed func()) {
	defer close(h.reaped)
	for h.running() > 0 {
		var info siginfo
		const any = unix.WEXITED | unix.WSTOPPED | unix.WCONTINUED
		// WNOWAIT leaves the event to takeEvents, which records it in the same moment.
		errno := blockInWaitid(unix.P_PGID, h.pids[0], &info, any|unix.WNOWAIT)
		h.mu.Lock()
		if errno == 0 || errno == syscall.EINTR || errno == syscall.ECHILD {
			h.takeEvents()
		} else {
			h.abandon(errno)
		}
		h.mu.Unlock()
		changed()
	}
}

// running returns how many hosts have not ended.
func (h *hostGroup) running() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.left
}

// takeEvents records all that has happened to hosts. h.mu must be locked.
func (h *hostGroup) takeEvents() {
	for h.left > 0 {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-h.pids[0], &status, unix.WNOHANG|unix.WUNTRACED|unix.WCONTINUED, nil)
		switch host := slices.Index(h.pids, pid); {
		case err == syscall.EINTR:
		case err != nil:
			h.abandon(err)
		case pid == 0:
			return
		case status.Stopped() || status.Continued():
			h.recordStop(host, status)
		default:
			h.left--
			h.recordEnd(host, status)
		}
	}
}

// abandon is for hosts that cannot be waited for.
func (h *hostGroup) abandon(err error) {
	h.left = 0
	if h.firstFailure == nil {
		h.firstFailure = fmt.Errorf("wait for worker hosts: %w", err)
	}
}

// recordStop notes that a signal has stopped or continued a host.
func (h *hostGroup) recordStop(host int, status syscall.WaitStatus) {
	// After a short stop the kernel may report only that the host was continued.
	h.paused[host] = true
	if status.Continued() {
		delete(h.stopped, host)
		return
	}
	h.stopped[host] = stop{status.StopSignal(), time.Now()}
}

// recordEnd notes how a host has ended: by the crash that is expected, or unexpectedly.
func (h *hostGroup) recordEnd(host int, status syscall.WaitStatus) {
	if h.fatal && host == 0 && status.Signaled() && status.Signal() == unix.SIGSEGV {
		h.crashed = time.Duration(monotonic())
		return
	}
	if h.firstFailure == nil {
		h.firstFailure = fmt.Errorf("host of %s (pid %d) %s%s%s",
			h.workersOf(host), h.pids[host], describe(status), h.oomHint(status), h.firstStderrLine())
	}
}

// resetPaused forgets the stops that are over.
func (h *hostGroup) resetPaused() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.takeEvents()
	clear(h.paused)
	for host := range h.stopped {
		h.paused[host] = true
	}
}

// pausedWorkers returns the workers whose host has been stopped since resetPaused.
func (h *hostGroup) pausedWorkers() []int {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.takeEvents() // reap may not have run since the last event
	var workers []int
	for i := range h.trial.Workers {
		host := i
		if h.trial.Mode == Threads {
			host = 0
		}
		if h.paused[host] {
			workers = append(workers, i)
		}
	}
	return workers
}

// stopTimeLeft returns how much longer hosts that are stopped now may remain stopped.
func (h *hostGroup) stopTimeLeft() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	left := noLimit
	for _, s := range h.stopped {
		left = min(left, max(time.Millisecond, stopLimit-time.Since(s.since)))
	}
	return left
}

// expectCrash is called before the first host may end by SIGSEGV.
func (h *hostGroup) expectCrash() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fatal = true
}

// crashedAt returns when the expected crash happened, and how many workers died in
// it: those from 0 to below lost. lost is 0 as long as they are alive.
func (h *hostGroup) crashedAt() (at time.Duration, lost int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.crashed == 0:
		return 0, 0
	case h.trial.Mode == Threads:
		return h.crashed, h.trial.Workers
	}
	return h.crashed, 1
}

// failure returns an error if a host has ended unexpectedly or has been stopped for too
// long, and nil if all hosts are well.
func (h *hostGroup) failure() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.firstFailure != nil {
		return h.firstFailure
	}
	for host, pid := range h.pids {
		if s, ok := h.stopped[host]; ok && time.Since(s.since) >= stopLimit {
			return fmt.Errorf("host of %s (pid %d) was stopped by %s and not continued within %v: "+
				"find out what stopped it, and run again",
				h.workersOf(host), pid, unix.SignalName(s.signal), stopLimit)
		}
	}
	return nil
}

// oomHint returns a hint if the kernel may have killed a host for lack of memory.
func (h *hostGroup) oomHint(status syscall.WaitStatus) string {
	if !status.Signaled() || status.Signal() != unix.SIGKILL || oomKills() == h.oomKills {
		return ""
	}
	return " while the kernel killed processes for lack of memory: provide more memory, or ask for fewer workers"
}

// workersOf names the workers of the nth host in words.
func (h *hostGroup) workersOf(n int) string {
	if h.trial.Mode == Threads {
		return fmt.Sprintf("all %d workers of %s", h.trial.Workers, h.trial.Workload)
	}
	return fmt.Sprintf("worker %d of %s", n, h.trial.Workload)
}

// firstStderrLine returns the first line that a host wrote to its standard error.
func (h *hostGroup) firstStderrLine() string {
	var text [512]byte
	n, err := unix.Pread(h.stderr, text[:], 0)
	if err != nil || n == 0 {
		return ""
	}
	line, _, _ := bytes.Cut(text[:n], []byte("\n"))
	hint := ""
	// These are the messages of Go and of a C library when they cannot create a thread.
	if bytes.Contains(line, []byte("failed to create new OS thread")) ||
		bytes.Contains(line, []byte("pthread_create failed")) {
		hint = taskHint(syscall.EAGAIN)
	}
	return ": " + string(line) + hint
}

// killAll kills the hosts and returns when all have ended.
func (h *hostGroup) killAll() error {
	if len(h.pids) > 0 {
		// ESRCH means that all have ended already.
		if err := unix.Kill(-h.pids[0], unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("kill worker hosts: %w", err)
		}
	}
	<-h.reaped
	unix.Close(h.stderr)
	return nil
}

// describe puts into words how a process has ended.
func describe(status syscall.WaitStatus) string {
	if status.Signaled() {
		return fmt.Sprintf("was ended by signal %d (%s)", int(status.Signal()), status.Signal())
	}
	return fmt.Sprintf("exited with status %d", status.ExitStatus())
}

// system converts the credential for package syscall.
func (c *Credential) system() *syscall.Credential {
	if c == nil {
		return nil
	}
	return &syscall.Credential{Uid: c.UID, Gid: c.GID, Groups: c.Groups}
}
