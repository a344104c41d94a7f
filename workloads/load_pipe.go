//go:build linux

package workloads

import (
	"fmt"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// pipe is a ping-pong: pairs of workers, each pair pinned to one core, pass a
// one-byte token to each other through two pipes. One operation is one round trip, counted
// by the leader (the even index); the follower counts none.
//
// In the variant "two cores", which exists where there are two, the workers of a pair are
// on different cores, and there is one pair for each two cores. Then every hand-over wakes
// an idle core by an interrupt from the other core, as is usual between programs.
//
// A round trip is 2 voluntary switches, one of each worker; see pingPong. Between two
// cores there can be fewer: a worker does not wait if the token is there already, because
// its peer was quick.
func pipe() Workload {
	return Workload{
		Name:     "pipe",
		Summary:  "pairs pass a token through pipes: voluntary switches",
		variants: pipeVariants,
		duration: 125 * time.Millisecond,
		perCore:  2,
		paired:   true,
		pinned:   true,
		fds:      2,
		open:     openPipes,
		prepare:  becomeBatch,
		send:     writeToken,
		receive:  readToken,
		body:     pingPong,
	}
}

func pipeVariants(cores int) []Variant {
	if cores < 2 {
		return []Variant{{}}
	}
	return []Variant{
		{},
		{Name: "two cores", workers: cores - cores%2, apart: true, duration: 75 * time.Millisecond},
	}
}

// openPipes gives each worker two descriptors: the end from which it reads its peer's
// token, and the end to which it writes.
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

// writeToken writes a token to the peer.
//
//go:nosplit
//go:norace
func writeToken(w *worker, token byte) syscall.Errno {
	w.message[0] = token
	_, errno := transfer(unix.SYS_WRITE, w.fds[1], &w.message[0], 1)
	return errno
}

// readToken waits for the peer's token. It returns EPIPE if the peer is gone.
//
//go:nosplit
//go:norace
func readToken(w *worker) (byte, syscall.Errno) {
	n, errno := transfer(unix.SYS_READ, w.fds[0], &w.message[0], 1)
	if errno == 0 && n == 0 {
		errno = unix.EPIPE
	}
	return w.message[0], errno
}

// transfer reads or writes up to n bytes at the address first. It may block.
//
//go:nosplit
//go:norace
func transfer(call uintptr, fd int, first *byte, n uintptr) (uintptr, syscall.Errno) {
	done, _, errno := syscall.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(first)), n)
	return done, errno
}
