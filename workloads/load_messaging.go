//go:build linux

package workloads

import (
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// messageBytes is the length of a message, as in hackbench. It is below
	// PIPE_BUF, so a message arrives whole.
	messageBytes = 100
	// groupWorkers is how many workers a group has, as in hackbench: half of them send, half
	// receive.
	groupWorkers = 40
	// coresPerGroup is how many cores share one group.
	coresPerGroup = 2
)

// messaging passes messages from many to many, as hackbench does. In groups of 20 senders
// (the even indices) and 20 receivers, which may run on all cores, each sender writes
// messages of 100 bytes to the receivers in turn, through one pipe for each receiver, of
// the default size. One operation is one message received; senders count none. There is
// one group for every two cores. If the number of workers is not a multiple of 40, the
// last group is smaller, and half of its workers are senders.
//
// A message is at most about 2 voluntary switches: one of the receiver that finds
// its pipe empty, and one of a sender that finds it full. A pipe usually has 16 pages,
// each of which holds 40 messages. On one core no message is received while another is
// sent, so there is at least one switch for as many messages as the pipes of the group
// hold.
func messaging() Workload {
	return Workload{
		Name:     "messaging",
		Summary:  "groups of 20 senders and 20 receivers on all cores, many to many",
		duration: 100 * time.Millisecond,
		version:  1, // before, groups had 2 + 2 and a pipe one page
		perCore:  groupWorkers / coresPerGroup,
		inGroups: groupWorkers,
		paired:   true,
		fds:      groupWorkers / 2,
		open:     openGroups,
		body:     messagingBody,
	}
}

// openGroups gives each receiver the end from which it reads, and each sender an end
// to which it writes for each receiver of its group.
func openGroups(workers int) ([][]int, error) {
	fds := make([][]int, workers)
	for receiver := 1; receiver < workers; receiver += 2 {
		var ends [2]int
		if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
			return fds, fmt.Errorf("create pipe: %w", err)
		}
		fds[receiver] = ends[:1]
		first := receiver / groupWorkers * groupWorkers
		fds[first] = append(fds[first], ends[1])
		for sender := first + 2; sender < min(first+groupWorkers, workers); sender += 2 {
			fd, err := unix.FcntlInt(uintptr(ends[1]), unix.F_DUPFD_CLOEXEC, 0)
			if err != nil {
				return fds, fmt.Errorf("copy descriptor: %w", err)
			}
			fds[sender] = append(fds[sender], fd)
		}
	}
	return fds, nil
}

//go:nosplit
//go:norace
func messagingBody(w *worker) syscall.Errno {
	if w.index%2 == 0 {
		return sendMessages(w)
	}
	return receiveMessages(w)
}

//go:nosplit
//go:norace
func sendMessages(w *worker) syscall.Errno {
	w.begin()
	w.message[0] = tokenGo
	to := 0
	for n := int64(0); !w.over(n); n++ {
		if _, errno := transfer(unix.SYS_WRITE, w.fds[to], &w.message[0], messageBytes); errno != 0 {
			return errno
		}
		if to++; to == len(w.fds) {
			to = 0
		}
	}
	w.message[0] = tokenStop
	for _, fd := range w.fds {
		if _, errno := transfer(unix.SYS_WRITE, fd, &w.message[0], messageBytes); errno != 0 {
			return errno
		}
	}
	return 0
}

// receiveMessages receives until every sender of the group has sent tokenStop.
//
//go:nosplit
//go:norace
func receiveMessages(w *worker) syscall.Errno {
	first := w.index - w.index%groupWorkers
	senders := min(groupWorkers, len(w.shared.slots)-first) / 2
	for received := false; senders > 0; received = true {
		n, errno := transfer(unix.SYS_READ, w.fds[0], &w.message[0], messageBytes)
		if errno == 0 && n != messageBytes {
			errno = unix.EPIPE
		}
		if errno != 0 {
			return errno
		}
		if !received {
			w.stampStart()
		}
		if w.message[0] == tokenStop {
			senders--
		} else {
			w.operations++
		}
	}
	return 0
}
