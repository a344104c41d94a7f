//go:build linux

package workloads

import (
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The tokens that the workers of a pair pass to each other. tokenStop ends the follower.
const (
	tokenGo   = 1
	tokenStop = 2
)

// becomeBatch gives the worker's thread the policy SCHED_BATCH. It uses the old system
// call, since sched_setattr would also set the length of the thread's slice. On Linux 6.18
// that makes every wakeup a preemption if there is a third task on the core.
func becomeBatch(*worker) error {
	var priority int32
	_, _, errno := unix.Syscall(unix.SYS_SCHED_SETSCHEDULER, 0, unix.SCHED_BATCH, uintptr(unsafe.Pointer(&priority)))
	if errno != 0 {
		return fmt.Errorf("set scheduling policy to batch: %w", errno)
	}
	return nil
}

// pingPong is the body of a pair: the leader passes a token to the follower and waits
// until it comes back. One operation is one round trip, counted by the leader.
//
// A round trip is 2 voluntary switches, one of each worker. The follower does not wait at
// the start gate: before the trial starts it waits in its first receive, and at the end it
// receives tokenStop without sending it back. So in N round trips each worker of a pair is
// switched out N times to wait for a token, and once more at the end gate: N+1 voluntary
// switches of each, whichever runs first.
//
// This is so only if a send does not preempt the sender in favour of the peer that it
// wakes. Under the default policy of Linux 6.18 about half of them did. So workers have the
// policy SCHED_BATCH, whose tasks do not preempt when they wake up. One thing can still
// change the numbers: a worker that is preempted, by the tick or by another task, between
// its send and its receive may find the next token there and not block. Then it has one
// involuntary switch instead of a voluntary one.
//
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
		if errno := w.workload.send(w, tokenGo); errno != 0 {
			return errno
		}
		if _, errno := w.workload.receive(w); errno != 0 {
			return errno
		}
		w.operations = n + 1
	}
	return w.workload.send(w, tokenStop)
}

//go:nosplit
//go:norace
func follow(w *worker) syscall.Errno {
	token, errno := w.workload.receive(w)
	w.stampStart()
	for errno == 0 && token != tokenStop {
		if errno = w.workload.send(w, token); errno != 0 {
			break
		}
		token, errno = w.workload.receive(w)
	}
	return errno
}
