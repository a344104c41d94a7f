//go:build linux

package workloads

import (
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// usher stands between a shell and a command: it passes the signals that this process
// gets on to the command, but those which the command has got without us, and stops
// this process when the command is stopped.
type usher struct {
	command *Running
	signals *Signals
	// witness is nil if there is none: then a key's signal went to the group, and
	// everything else to us alone.
	witness *witness
	leaving chan struct{}
	left    chan struct{}
}

// senderHaste is how long a sender may take to signal one process of a list after
// another, such as all of a control group.
const senderHaste = 5 * time.Millisecond

// startUsher begins with what came since the signals are caught.
func startUsher(command *Running, signals *Signals) *usher {
	u := &usher{command: command, signals: signals, leaving: make(chan struct{}), left: make(chan struct{})}
	// Without a witness, as where the limit on processes is reached, less is known.
	u.witness, _ = startWitness(command.pidfd)
	go u.run()
	return u
}

// leave ends the passing on. What comes later is lost: nobody is left to get it.
func (u *usher) leave() {
	close(u.leaving)
	<-u.left
	u.signals.drop()
	if u.witness != nil {
		_ = u.witness.end() // it only slept
	}
}

func (u *usher) run() {
	defer close(u.left)
	for {
		c, ok := u.signals.next()
		if ok {
			u.take(&c)
			continue
		}
		select {
		case <-u.signals.wake:
		case <-u.leaving:
			return
		}
	}
}

// take passes a signal on if it is the command's and the command has not got it.
func (u *usher) take(c *caught) {
	info := &c.info
	if c.pending {
		u.signalCommand(info)
		return
	}
	if ours(info) {
		return
	}
	everybody := u.everybodyGot(c)
	switch {
	case everybody && u.commandElsewhere():
		u.signalGroup(info)
	case !everybody && info.sender() != u.command.PID():
		u.signalCommand(info)
	}
}

// ours reports whether a signal is about what this process does itself: its children,
// its writes, its share of the CPU.
func ours(info *siginfo) bool {
	switch code := info.code(); info.signal() {
	case unix.SIGCHLD:
		return code > 0
	case unix.SIGXCPU:
		return code == siKernel
	default:
		return code <= 0 && info.sender() == int(ownPID)
	}
}

// everybodyGot reports whether the signal was sent to our process group.
func (u *usher) everybodyGot(c *caught) bool {
	for again := false; u.witness != nil; again = true {
		saw, err := u.witness.saw(&c.info)
		if err != nil {
			_ = u.witness.end() // it was killed or stopped
			u.witness = nil
			break
		}
		if saw {
			return true
		}
		if left := time.Until(c.at.Add(senderHaste)); !again && left > 0 && c.info.code() <= 0 {
			time.Sleep(left)
			continue
		}
		break
	}
	switch c.info.signal() {
	case unix.SIGINT, unix.SIGQUIT, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU, unix.SIGWINCH:
		return c.info.code() == siKernel
	}
	return false
}

// commandElsewhere reports whether the command has made itself the leader of a group
// of its own, and would not have done so without us: a shell's job is that already.
func (u *usher) commandElsewhere() bool {
	pid := u.command.PID()
	group, err := unix.Getpgid(pid)
	if err != nil || group != pid || unix.Getpgrp() != os.Getpid() {
		return false
	}
	session, err := unix.Getsid(pid)
	own, ownErr := unix.Getsid(0)
	return err == nil && ownErr == nil && session == own
}

// signalGroup signals the command's own group.
func (u *usher) signalGroup(info *siginfo) {
	_ = unix.Kill(-u.command.PID(), info.signal()) // it may have ended
}

// signalCommand signals the command, with the value if one was sent.
func (u *usher) signalCommand(info *siginfo) {
	if info.code() == siQueue {
		_, _, errno := unix.Syscall6(unix.SYS_PIDFD_SEND_SIGNAL, uintptr(u.command.pidfd), uintptr(info.signal()),
			uintptr(unsafe.Pointer(info)), 0, 0, 0)
		if errno == 0 {
			return
		}
	}
	_ = u.command.Signal(info.signal()) // it may have ended
}

// stop stops this process as the command was stopped, until somebody continues it, or
// the command has ended. A shell takes us for its job, and goes on.
func (u *usher) stop(sig syscall.Signal) {
	if u.lendTerminal(sig) {
		_ = u.command.stillStopped() // taken
		return
	}
	waker, err := startWaker(u.command.pidfd)
	// Somebody can have continued it meanwhile: then nobody would continue us.
	if u.command.stillStopped() && err == nil { // rather no stop than one for ever
		DieOf(sig)
	}
	if err == nil {
		_ = waker.end() // it only slept
	}
}

// lendTerminal gives the terminal to a command that was stopped because it used it
// from a group of its own, while ours had it, and continues the command.
func (u *usher) lendTerminal(sig syscall.Signal) bool {
	if sig != unix.SIGTTIN && sig != unix.SIGTTOU || !u.commandElsewhere() {
		return false
	}
	tty, err := unix.Open("/dev/tty", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
	if err != nil {
		return false
	}
	defer unix.Close(tty)
	if group, err := unix.IoctlGetInt(tty, unix.TIOCGPGRP); err != nil || group != unix.Getpgrp() {
		return false
	}
	pid := u.command.PID()
	return unix.IoctlSetPointerInt(tty, unix.TIOCSPGRP, pid) == nil && unix.Kill(-pid, unix.SIGCONT) == nil
}

// startWaker starts a servant that continues this process when the command, given by
// a pidfd, has ended.
func startWaker(command int) (*servant, error) {
	s, kept, err := startAlone("signal waker", command)
	if err != nil {
		return nil, err
	}
	var poll memory
	place := poll.words(uint64(uint32(kept)) | unix.POLLIN<<32)
	base, err := poll.place(s)
	if err == nil {
		err = s.tell(0, unix.SYS_PPOLL, base+place, 1, 0, 0, 0)
	}
	if err == nil {
		err = s.tell(0, unix.SYS_KILL, uintptr(os.Getpid()), uintptr(unix.SIGCONT))
	}
	if err != nil {
		_ = s.end() // nothing depends on it
		return nil, err
	}
	return s, nil
}
