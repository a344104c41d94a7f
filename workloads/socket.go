//go:build linux

package workloads

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// socket is pipe's ping-pong over a pair of connected Unix stream sockets. One
// operation is one round trip, counted by the leader.
//
// A round trip is 2 voluntary switches, one of each worker; see pingPong. A Unix
// socket also wakes its sender when a message is taken. If the taker is preempted
// before it answers, the sender looks in vain: one voluntary switch more.
func socket() Workload {
	return Workload{
		Name:     "socket",
		Summary:  "the same through Unix sockets",
		duration: 125 * time.Millisecond,
		perCore:  2,
		paired:   true,
		pinned:   true,
		fds:      1,
		open:     openSockets,
		prepare:  prepareSocket,
		send:     writeToken,
		receive:  readToken,
		body:     pingPong,
	}
}

// openSockets gives each worker its end of the pair's connection.
func openSockets(workers int) (fds [][]int, err error) {
	for range workers / 2 {
		ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return fds, fmt.Errorf("create socket pair: %w", err)
		}
		fds = append(fds, ends[:1], ends[1:])
	}
	return fds, nil
}

func prepareSocket(w *worker) error {
	// Where a pipe's worker reads from one descriptor and writes to the next, a
	// socket is both.
	w.fds = append(w.fds, w.fds[0])
	return becomeBatch(w)
}
