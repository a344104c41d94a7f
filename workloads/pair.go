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

// pingPong is a pair's body: the leader hands a token to the follower and waits
// until it is back. One operation is one round trip, counted by the leader.
//
// A round trip is 2 voluntary switches, one of each worker. The follower needs
// no gate: it waits in its first receive, before the trial starts, and the stop
// token replaces that one at the end. So over N round trips each worker of a
// pair is switched out N times for want of a token and once more at the end
// gate: N+1 voluntary switches each, whichever ran first.
//
// For that a send must not put the sender off the core in favour of the peer it
// wakes. On 6.18 about half did, and those switches were involuntary; so workers
// are of the policy SCHED_BATCH, whose tasks do not preempt when they wake. One
// thing is left that can change the numbers: a worker preempted by the tick or a
// foreign task between its send and its receive may find the next token there
// and not block. It has then one involuntary switch in place of a voluntary one.
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
	w.began()
	for errno == 0 && token != tokenStop {
		if errno = w.workload.send(w, token); errno != 0 {
			break
		}
		token, errno = w.workload.receive(w)
	}
	return errno
}
