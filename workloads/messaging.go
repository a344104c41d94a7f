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
	// groupWorkers are the members of a group, as in hackbench: half send, half
	// receive.
	groupWorkers = 40
	// coresPerGroup is for how many cores there is a group.
	coresPerGroup = 2
)

// messaging is many to many, as hackbench has it: in groups of 20 senders (the
// even indices) and 20 receivers, free on all cores, each sender writes messages of
// 100 bytes to the receivers in turn, through one pipe a receiver, of the size that
// pipes have. One operation is one message received; senders count none. There is a
// group for each two cores; a number of workers that is no multiple of 40 makes a last
// group of fewer, half of them senders.
//
// A message is at most about 2 voluntary switches: one of the receiver that finds
// its pipe empty, and one of a sender that finds it full. A pipe has 16 pages as a
// rule, each of which holds 40 messages; so on one core, where nobody takes a message
// while another is sent, all workers are switched out at least once for as many messages
// as the pipes of the group hold.
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
		body:     converse,
	}
}

// openGroups gives each receiver the end it reads from, and each sender an end
// to write to for each receiver of its group.
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
func converse(w *worker) syscall.Errno {
	if w.index%2 == 0 {
		return speak(w)
	}
	return listen(w)
}

//go:nosplit
//go:norace
func speak(w *worker) syscall.Errno {
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

// listen receives until every sender of the group has said stop.
//
//go:nosplit
//go:norace
func listen(w *worker) syscall.Errno {
	first := w.index - w.index%groupWorkers
	senders := min(groupWorkers, len(w.board.slots)-first) / 2
	for received := false; senders > 0; received = true {
		n, errno := transfer(unix.SYS_READ, w.fds[0], &w.message[0], messageBytes)
		if errno == 0 && n != messageBytes {
			errno = unix.EPIPE
		}
		if errno != 0 {
			return errno
		}
		if !received {
			w.began()
		}
		if w.message[0] == tokenStop {
			senders--
		} else {
			w.operations++
		}
	}
	return 0
}
