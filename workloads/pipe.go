//go:build linux

package workloads

import (
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Tokens that a pair hands over. The stop token ends the follower.
const (
	tokenGo   = 1
	tokenStop = 2
)

// pipe is a ping-pong: pairs of workers, each pair pinned to one core, hand a
// one-byte token over two pipes. One operation is one round trip, counted by the
// leader (the even index); the follower counts none.
//
// A round trip is 2 voluntary switches, one of each worker. The follower needs
// no gate: it waits in its first read, before the trial starts, and the stop
// token replaces that read at the end. So over N round trips each worker of a
// pair is switched out N times for want of a token and once more at the end
// gate: N+1 voluntary switches each, no matter who ran first.
//
// For that a write must not put the writer off the core in favour of the peer it
// wakes. On 6.18 about half did, and those switches were involuntary; so workers
// are of the policy SCHED_BATCH, whose tasks do not preempt when they wake. One
// thing is left that can change the numbers: a worker preempted by the tick or a
// foreign task between its write and its read may find the next token there and
// not block. It has then one involuntary switch in place of a voluntary one.
func pipe() Workload {
	return Workload{
		Name:    "pipe",
		Summary: "pairs on one core pass a token through pipes: voluntary switches",
		perCore: 2,
		paired:  true,
		pinned:  true,
		fds:     2,
		open:    openPipes,
		prepare: becomeBatch,

		body: pingPong,
	}
}

// openPipes gives each worker the end it reads its peer's token from, then the
// end it writes to.
func openPipes(workers int) (fds [][]int, err error) {
	for range workers / 2 {
		var there, back [2]int
		if err := unix.Pipe2(there[:], unix.O_CLOEXEC); err != nil {
			return fds, fmt.Errorf("create pipe: %w", err)
		}
		if err := unix.Pipe2(back[:], unix.O_CLOEXEC); err != nil {
			return append(fds, there[:]), fmt.Errorf("create pipe: %w", err)
		}
		fds = append(fds, []int{back[0], there[1]}, []int{there[0], back[1]})
	}
	return fds, nil
}

// becomeBatch gives the worker's thread the policy SCHED_BATCH. It uses the old
// call, for sched_setattr would also fix the length of the thread's slice, which
// on 6.18 lets a third task on the core turn every wakeup into a preemption.
func becomeBatch(*worker) error {
	var priority int32
	_, _, errno := unix.Syscall(unix.SYS_SCHED_SETSCHEDULER, 0, unix.SCHED_BATCH, uintptr(unsafe.Pointer(&priority)))
	if errno != 0 {
		return fmt.Errorf("set scheduling policy to batch: %w", errno)
	}
	return nil
}

//go:nosplit
//go:norace
func pingPong(w *worker) syscall.Errno {
	if w.index%2 == 0 {
		return lead(w)
	}
	return follow(w)
}

//go:nosplit
//go:norace
func lead(w *worker) syscall.Errno {
	w.begin()
	for n := int64(0); !w.over(n); n++ {
		if errno := w.send(tokenGo); errno != 0 {
			return errno
		}
		if _, errno := w.receive(); errno != 0 {
			return errno
		}
		w.operations = n + 1
	}
	return w.send(tokenStop)
}

//go:nosplit
//go:norace
func follow(w *worker) syscall.Errno {
	token, errno := w.receive()
	w.began()
	for errno == 0 && token != tokenStop {
		if errno = w.send(token); errno != 0 {
			break
		}
		token, errno = w.receive()
	}
	return errno
}

// send writes a token to the peer.
//
//go:nosplit
//go:norace
func (w *worker) send(token byte) syscall.Errno {
	w.token = token
	_, _, errno := syscall.RawSyscall(unix.SYS_WRITE, uintptr(w.fds[1]), uintptr(unsafe.Pointer(&w.token)), 1)
	return errno
}

// receive waits for the peer's token. A peer that is gone is EPIPE.
//
//go:nosplit
//go:norace
func (w *worker) receive() (byte, syscall.Errno) {
	n, _, errno := syscall.RawSyscall(unix.SYS_READ, uintptr(w.fds[0]), uintptr(unsafe.Pointer(&w.token)), 1)
	if errno == 0 && n == 0 {
		errno = unix.EPIPE
	}
	return w.token, errno
}
