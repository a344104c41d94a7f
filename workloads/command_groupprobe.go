//go:build linux

package workloads

import (
	"encoding/binary"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// groupProbe is an agent in this process's process group that blocks all signals. A signal
// that is pending there was sent to the whole group, and so to the command as well, if that
// is in the group. The probe is younger than this process, and the kernel signals the
// youngest process of a group first: if this process has got a signal that was sent to the
// group, the probe has got it already.
//
// Its last call kills the command too when this process dies, by SIGKILL for example.
type groupProbe struct {
	*agent
	// page is the address of memory in the probe.
	page uintptr
}

// The offsets of what is in the probe's page.
const (
	probeSet  = 0  // a signal set
	probeZero = 16 // a struct timespec that is zero
	probeInfo = 64 // a siginfo_t
)

// startGroupProbe starts the probe for a command, given by a pidfd.
func startGroupProbe(command int) (*groupProbe, error) {
	a, kept, err := startMinimalAgent("signal probe", command)
	if err != nil {
		return nil, fmt.Errorf("start group probe: %w", err)
	}
	p := &groupProbe{agent: a}
	if err := p.prepare(kept); err != nil {
		_ = a.end() // nothing depends on it any more
		return nil, fmt.Errorf("start group probe: %w", err)
	}
	return p, nil
}

// prepare maps the probe's page and requests its last call. kept is the command's pidfd.
func (p *groupProbe) prepare(kept int) (err error) {
	m := image{bytes: make([]byte, probeInfo+len(siginfo{}))}
	if p.page, err = m.mapInto(p.agent); err != nil {
		return err
	}
	if err := p.requestLast(unix.SYS_PIDFD_SEND_SIGNAL, uintptr(kept), uintptr(unix.SIGKILL), 0, 0); err != nil {
		return err
	}
	// Someone may stop the probe by a signal. After a second without an answer, the
	// forwarder does without it.
	return unix.SetsockoptTimeval(p.socket, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 1})
}

// got reports whether a signal that this process has got was sent to its group.
func (p *groupProbe) got(info *siginfo) (bool, error) {
	if err := p.poke(p.page+probeSet, words64(1<<(info.signal()-1))); err != nil {
		return false, err
	}
	for {
		_, err := p.do(unix.SYS_RT_SIGTIMEDWAIT, p.page+probeSet, p.page+probeInfo, p.page+probeZero, 8)
		if err == unix.EINTR {
			continue
		}
		if err == unix.EAGAIN {
			return p.discarded(info.signal())
		}
		if err != nil {
			return false, err
		}
		var own siginfo
		if err := p.peek(p.page+probeInfo, own[:]); err != nil {
			return false, err
		}
		// Otherwise it is an old one: someone has sent a signal to the probe alone.
		if own.code() == info.code() && own.sender() == info.sender() {
			return true, nil
		}
	}
}

// discarded reports whether a signal that is not pending in the probe may have been
// discarded there: the kernel discards pending stop signals when SIGCONT arrives, and a
// pending SIGCONT when a stop signal arrives.
func (p *groupProbe) discarded(s syscall.Signal) (bool, error) {
	const (
		resume = 1 << (unix.SIGCONT - 1)
		stops  = 1<<(unix.SIGTSTP-1) | 1<<(unix.SIGTTIN-1) | 1<<(unix.SIGTTOU-1)
	)
	opposite := uint64(0)
	switch s {
	case unix.SIGCONT:
		opposite = stops
	case unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU:
		opposite = resume
	default:
		return false, nil
	}
	var pending [8]byte
	if _, err := p.do(unix.SYS_RT_SIGPENDING, p.page+probeSet, uintptr(len(pending))); err != nil {
		return false, err
	}
	err := p.peek(p.page+probeSet, pending[:])
	return binary.NativeEndian.Uint64(pending[:])&opposite != 0, err
}
