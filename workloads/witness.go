//go:build linux

package workloads

import (
	"encoding/binary"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// witness is a process in this process's group that blocks all signals: what is pending
// there was sent to the whole group, and so to the command as well, if that is in
// the group. It is younger than we are, and the kernel signals the youngest of a
// group first: what we have got from a sender to the group, it has got already.
//
// Its will is to kill the command, which SIGKILL would have ended without us, too.
type witness struct {
	*servant
	// page is memory of the witness's.
	page uintptr
}

// Where things are in the witness's page.
const (
	witnessSet  = 0
	witnessZero = 16 // a struct timespec that is zero
	witnessInfo = 64
)

// startWitness starts the witness of a command, given by a pidfd.
func startWitness(command int) (*witness, error) {
	s, kept, err := startAlone("signal witness", command)
	if err != nil {
		return nil, fmt.Errorf("start witness: %w", err)
	}
	w := &witness{servant: s}
	if err := w.prepare(kept); err != nil {
		_ = s.end() // nothing depends on it any more
		return nil, fmt.Errorf("start witness: %w", err)
	}
	return w, nil
}

// prepare maps the witness's page, and tells its will for the pidfd kept.
func (w *witness) prepare(kept int) (err error) {
	m := memory{bytes: make([]byte, witnessInfo+len(siginfo{}))}
	if w.page, err = m.place(w.servant); err != nil {
		return err
	}
	if err := w.tell(1, unix.SYS_PIDFD_SEND_SIGNAL, uintptr(kept), uintptr(unix.SIGKILL), 0, 0); err != nil {
		return err
	}
	// Somebody may stop the witness: then we do without it.
	return unix.SetsockoptTimeval(w.socket, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 1})
}

// saw reports whether a signal that this process has got was sent to its group.
func (w *witness) saw(info *siginfo) (bool, error) {
	if err := w.store(w.page+witnessSet, words64(1<<(info.signal()-1))); err != nil {
		return false, err
	}
	for {
		_, err := w.do(unix.SYS_RT_SIGTIMEDWAIT, w.page+witnessSet, w.page+witnessInfo, w.page+witnessZero, 8)
		if err == unix.EINTR {
			continue
		}
		if err == unix.EAGAIN {
			return w.lost(info.signal())
		}
		if err != nil {
			return false, err
		}
		var own siginfo
		if err := w.load(w.page+witnessInfo, own[:]); err != nil {
			return false, err
		}
		// Else it is left over: somebody signalled the witness alone.
		if own.code() == info.code() && own.sender() == info.sender() {
			return true, nil
		}
	}
}

// lost reports whether a signal that does not pend may have been taken from the witness
// by its opposite: the kernel lets no stop pend beside SIGCONT.
func (w *witness) lost(s syscall.Signal) (bool, error) {
	const (
		goOn  = 1 << (unix.SIGCONT - 1)
		stops = 1<<(unix.SIGTSTP-1) | 1<<(unix.SIGTTIN-1) | 1<<(unix.SIGTTOU-1)
	)
	opposite := uint64(0)
	switch s {
	case unix.SIGCONT:
		opposite = stops
	case unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU:
		opposite = goOn
	default:
		return false, nil
	}
	var pending [8]byte
	if _, err := w.do(unix.SYS_RT_SIGPENDING, w.page+witnessSet, uintptr(len(pending))); err != nil {
		return false, err
	}
	err := w.load(w.page+witnessSet, pending[:])
	return binary.NativeEndian.Uint64(pending[:])&opposite != 0, err
}
