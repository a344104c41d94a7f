//go:build linux

package workloads

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// messageBytes is the length of a message, as in hackbench. It is below
	// PIPE_BUF, so a message arrives whole.
	messageBytes = 100
	// groupWorkers are the members of a group: half send, half receive.
	groupWorkers = 4
)

// messaging is many to many: in groups of 2 senders (the even indices) and 2
// receivers, free on all cores, each sender writes messages of 100 bytes to the
// receivers in turn, through one pipe a receiver. One operation is one message
// received; senders count none. The last group is of one sender and one receiver
// if the number of workers is no multiple of 4.
//
// A message is at most about 2 voluntary switches: one of the receiver that finds
// its pipe empty, and one of a sender that finds it full. A pipe is as small as
// can be, a page, which holds 40 messages: on one core, where nobody takes a
// message while another is sent, at least 1 switch for 40 messages. Measured on
// two cores: 0.05 to 0.2 voluntary switches a message.
func messaging() Workload {
	return Workload{
		Name:     "messaging",
		Summary:  "groups of senders and receivers on all cores, many to many",
		duration: 125 * time.Millisecond,
		perCore:  groupWorkers,
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
		// A pipe of the usual 64 KiB would let senders run for milliseconds unheard.
		if _, err := unix.FcntlInt(uintptr(ends[1]), unix.F_SETPIPE_SZ, os.Getpagesize()); err != nil {
			unix.Close(ends[1])
			return fds, fmt.Errorf("shrink pipe: %w", err)
		}
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
