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
// socket also wakes its sender when a message has been received. If the receiver is
// preempted before it answers, the sender wakes in vain: one more voluntary switch.
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
	// readToken and writeToken use two descriptors, as for pipes. A socket is both of them.
	w.fds = append(w.fds, w.fds[0])
	return becomeBatch(w)
}
