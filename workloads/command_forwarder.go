//go:build linux

package workloads

import (
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// forwarder is between a shell and a command. It forwards the signals that this process
// gets to the command, except those that the command has got as well, and stops this
// process when the command is stopped.
type forwarder struct {
	command *Running
	signals *Signals
	// probe is nil if it could not be started. Then the signal of a terminal's key is taken
	// to be sent to the group, and every other signal to this process alone.
	probe *groupProbe
	// quit is closed to end the forwarding, done when it has ended.
	quit, done chan struct{}
}

// groupSendTime bounds how long a sender takes to signal one process of a list after
// another, such as all those of a control group.
const groupSendTime = 5 * time.Millisecond

// startForwarder starts with the signals that have come since CatchSignals.
func startForwarder(command *Running, signals *Signals) *forwarder {
	f := &forwarder{command: command, signals: signals, quit: make(chan struct{}), done: make(chan struct{})}
	// Without a probe, as where the limit on processes is reached, forwarding is less exact.
	f.probe, _ = startGroupProbe(command.pidfd)
	go f.run()
	return f
}

// close ends the forwarding. Later signals are discarded, since the command has ended.
func (f *forwarder) close() {
	close(f.quit)
	<-f.done
	f.signals.drop()
	if f.probe != nil {
		_ = f.probe.end() // it only slept
	}
}

func (f *forwarder) run() {
	defer close(f.done)
	for {
		c, ok := f.signals.next()
		if ok {
			f.forward(&c)
			continue
		}
		select {
		case <-f.signals.wake:
		case <-f.quit:
			return
		}
	}
}

// forward forwards a signal that is meant for the command and that the command has not got.
func (f *forwarder) forward(c *caught) {
	info := &c.info
	if c.pending {
		f.signalCommand(info)
		return
	}
	if aboutThisProcess(info) {
		return
	}
	toGroup := f.sentToGroup(c)
	switch {
	case toGroup && f.commandLeadsGroup():
		f.signalGroup(info)
	case !toGroup && info.sender() != f.command.launcher.pid:
		f.signalCommand(info)
	}
}

// aboutThisProcess reports whether a signal is about this process itself: its children,
// its use of CPU time, its writes to closed pipes.
func aboutThisProcess(info *siginfo) bool {
	switch code := info.code(); info.signal() {
	case unix.SIGCHLD:
		return code > 0
	case unix.SIGXCPU:
		return code == siKernel
	default:
		return code <= 0 && info.sender() == int(ownPID)
	}
}

// sentToGroup reports whether the signal was sent to our process group.
func (f *forwarder) sentToGroup(c *caught) bool {
	for again := false; f.probe != nil; again = true {
		got, err := f.probe.got(&c.info)
		if err != nil {
			_ = f.probe.end() // someone has killed or stopped it
			f.probe = nil
			break
		}
		if got {
			return true
		}
		if left := time.Until(c.at.Add(groupSendTime)); !again && left > 0 && c.info.code() <= 0 {
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

// commandLeadsGroup reports whether the command has made itself the leader of a process
// group of its own, while this process is the leader of the group that the shell has made
// for its job: then a signal to the job must reach the command's group.
func (f *forwarder) commandLeadsGroup() bool {
	pid := f.command.launcher.pid
	group, err := unix.Getpgid(pid)
	if err != nil || group != pid || unix.Getpgrp() != os.Getpid() {
		return false
	}
	session, err := unix.Getsid(pid)
	own, ownErr := unix.Getsid(0)
	return err == nil && ownErr == nil && session == own
}

// signalGroup sends the signal to the command's own process group.
func (f *forwarder) signalGroup(info *siginfo) {
	_ = unix.Kill(-f.command.launcher.pid, info.signal()) // it may have ended
}

// signalCommand sends the signal to the command, with its value if it has one.
func (f *forwarder) signalCommand(info *siginfo) {
	if info.code() == siQueue {
		_, _, errno := unix.Syscall6(unix.SYS_PIDFD_SEND_SIGNAL, uintptr(f.command.pidfd), uintptr(info.signal()),
			uintptr(unsafe.Pointer(info)), 0, 0, 0)
		if errno == 0 {
			return
		}
	}
	_ = f.command.Signal(info.signal()) // it may have ended
}

// stop stops this process as the command was stopped, until someone continues it or
// the command has ended. So a shell sees that its job is stopped, and goes on.
func (f *forwarder) stop(sig syscall.Signal) {
	if f.lendTerminal(sig) {
		_ = f.command.stillStopped() // this consumes the event
		return
	}
	resumer, err := startResumer(f.command.pidfd)
	// If someone has continued the command meanwhile, nobody would continue this process.
	// Nor does it stop without a resumer, since the stop could last for ever.
	if f.command.stillStopped() && err == nil {
		RaiseDefault(sig)
	}
	if err == nil {
		_ = resumer.end() // it only slept
	}
}

// lendTerminal helps a command that was stopped because it used the terminal from a process
// group of its own, while our group had the terminal: it gives the terminal to the
// command's group and continues the command. It reports whether it did so.
func (f *forwarder) lendTerminal(sig syscall.Signal) bool {
	if sig != unix.SIGTTIN && sig != unix.SIGTTOU || !f.commandLeadsGroup() {
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
	pid := f.command.launcher.pid
	return unix.IoctlSetPointerInt(tty, unix.TIOCSPGRP, pid) == nil && unix.Kill(-pid, unix.SIGCONT) == nil
}

// startResumer starts an agent that continues this process when the command, given by
// a pidfd, has ended.
func startResumer(command int) (*agent, error) {
	a, kept, err := startMinimalAgent("signal resumer", command)
	if err != nil {
		return nil, err
	}
	var poll image
	offset := poll.words(uint64(uint32(kept)) | unix.POLLIN<<32)
	base, err := poll.mapInto(a)
	if err == nil {
		err = a.request(unix.SYS_PPOLL, base+offset, 1, 0, 0, 0)
	}
	if err == nil {
		err = a.request(unix.SYS_KILL, uintptr(os.Getpid()), uintptr(unix.SIGCONT))
	}
	if err != nil {
		_ = a.end() // nothing depends on it
		return nil, err
	}
	return a, nil
}
