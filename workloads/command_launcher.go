//go:build linux

package workloads

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Inheritance is what this process inherited when it was executed, and Go's
// runtime or this program has changed since.
type Inheritance struct {
	// Ignored and Blocked are sets of signals: bit n-1 is signal n.
	Ignored, Blocked uint64
	// Closed are descriptors that were closed.
	Closed []int
	// OpenFiles is the limit on open files, nil if that was not changed.
	OpenFiles *unix.Rlimit
	// DeathSignal is what the kernel sends when the parent dies, 0 for nothing.
	DeathSignal syscall.Signal
}

// currentInheritance is what a command inherits if Command.Inherited is nil: this process's
// own signal mask and ignored signals.
func currentInheritance() *Inheritance {
	i := &Inheritance{}
	for sig := syscall.Signal(1); sig <= lastSignal; sig++ {
		var action sigaction
		if setAction(sig, nil, &action) == 0 && action.handler == 1 {
			i.Ignored |= 1 << (sig - 1)
		}
	}
	_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_BLOCK, 0, uintptr(unsafe.Pointer(&i.Blocked)), 8, 0, 0)
	return i
}

// launcher is the agent that executes the command: its pid becomes the command's.
type launcher struct {
	*agent
	// image is the memory that the system calls in the agent need, and base its address.
	image image
	base  uintptr
	// argv and environ are offsets in the image. shellArgv is the argv of a shell that runs
	// the file as a script, and shell is the file name of that shell.
	argv, environ, shellArgv, shell uintptr
	// files are the files that may be the program, in the order of PATH. named means that
	// the user gave a file name instead, which is the only element.
	files []candidate
	named bool
}

// candidate is a file that may be the program, with the offset of its name in the image.
type candidate struct {
	name   string
	offset uintptr
}

// defaultPath is searched when PATH is not set, as execvp does.
const defaultPath = "/bin:/usr/bin"

// scriptShell runs a file that is executable but not in a format that the kernel knows.
const scriptShell = "/bin/sh"

// candidates returns the files that a shell would try for a program, without those
// that do not exist.
func candidates(name string, environ []string) []string {
	if strings.Contains(name, "/") {
		return []string{name}
	}
	path := defaultPath
	for _, v := range environ {
		if value, ok := strings.CutPrefix(v, "PATH="); ok {
			path = value
			break
		}
	}
	var files []string
	for dir := range strings.SplitSeq(path, ":") { // an empty part means the current directory
		if dir == "" {
			dir = "."
		}
		file := dir + "/" + name
		if _, err := os.Stat(file); name != "" && !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.ENOTDIR) {
			files = append(files, file)
		}
	}
	return files
}

// startLauncher starts a launcher and prepares it for the command.
func startLauncher(c Command) (*launcher, error) {
	a, err := startAgent()
	if err != nil {
		return nil, err
	}
	l := &launcher{agent: a}
	if c.Signals != nil {
		a.idle = l.stopWithIt
	}
	// ESRCH means that a signal has killed it meanwhile, as it would have killed the
	// command. That is no error here: Release reports it, and Wait reports the signal.
	if err := l.prepare(c); err != nil && !errors.Is(err, unix.ESRCH) {
		return nil, errors.Join(err, a.end())
	}
	return l, nil
}

// stopWithIt stops this process too if a key of the terminal has stopped the launcher.
// It does so until the forwarder, which is started later, takes over.
func (l *launcher) stopWithIt() {
	if event, sig, err := l.event(unix.WSTOPPED | unix.WNOHANG); err == nil && event == cldStopped {
		RaiseDefault(sig)
	}
}

func (l *launcher) prepare(c Command) error {
	environ := c.Env
	if environ == nil {
		environ = os.Environ()
	}
	l.argv, l.environ = l.image.vector(c.Argv), l.image.vector(environ)
	l.named = strings.Contains(c.Argv[0], "/")
	for _, file := range candidates(c.Argv[0], environ) {
		l.files = append(l.files, candidate{file, l.image.text(file)})
	}
	l.shell = l.image.text(scriptShell)
	// The second argument is the file name, which is not known yet.
	l.shellArgv = l.image.vector(append([]string{scriptShell, ""}, c.Argv[1:]...))
	inherited := c.Inherited
	if inherited == nil {
		inherited = currentInheritance()
	}
	steps := l.setupSteps(c, inherited)
	var err error
	if l.base, err = l.image.mapInto(l.agent); err != nil {
		return err
	}
	for _, step := range steps {
		for _, a := range step.offsets {
			step.args[a] += l.base
		}
		if _, err := l.do(step.call, step.args...); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	return nil
}

// step is a system call that the launcher makes before it executes the command.
type step struct {
	what string
	call uintptr
	args []uintptr
	// offsets are the indexes of the arguments that are offsets in the image.
	offsets []int
}

// setupSteps returns the system calls that give a fork of this process everything that
// the command would have inherited without this process. Signals are unblocked last.
func (l *launcher) setupSteps(c Command, inherited *Inheritance) (steps []step) {
	add := func(what string, call uintptr, args ...uintptr) { steps = append(steps, step{what, call, args, nil}) }
	at := func(argument int) { // the last step's argument is an offset
		steps[len(steps)-1].offsets = append(steps[len(steps)-1].offsets, argument)
	}
	for number, file := range []*os.File{c.Stdin, c.Stdout, c.Stderr} {
		if file != nil && file.Fd() != uintptr(number) {
			add("set descriptor", unix.SYS_DUP3, file.Fd(), uintptr(number), 0)
		}
	}
	for _, fd := range inherited.Closed {
		add("close descriptor", unix.SYS_CLOSE, uintptr(fd))
	}
	if limit := inherited.OpenFiles; limit != nil {
		add("limit open files", unix.SYS_PRLIMIT64, 0, unix.RLIMIT_NOFILE, l.image.words(limit.Cur, limit.Max), 0)
		at(2)
	}
	steps = append(steps, l.credentialSteps(c)...)
	ignore, standard := l.image.words(1, 0, 0, 0), l.image.words(0, 0, 0, 0)
	for sig := uintptr(1); sig <= lastSignal; sig++ {
		if sig == uintptr(unix.SIGKILL) || sig == uintptr(unix.SIGSTOP) {
			continue
		}
		action := standard
		if inherited.Ignored&(1<<(sig-1)) != 0 {
			action = ignore
		}
		add("set action of signal", unix.SYS_RT_SIGACTION, sig, action, 0, 8)
		at(1)
	}
	if inherited.DeathSignal != 0 {
		add("set parent-death signal", unix.SYS_PRCTL, unix.PR_SET_PDEATHSIG, uintptr(inherited.DeathSignal))
	}
	if c.Inherited != nil {
		steps = append(steps, l.transferSteps()...)
	}
	add("set signal mask", unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, l.image.words(inherited.Blocked), 0, 8)
	at(1)
	return steps
}

// transferSteps returns the system calls that give the launcher what an execve keeps but
// a fork does not, and removes it from this process.
func (l *launcher) transferSteps() (steps []step) {
	var reaper int32
	if unix.Prctl(unix.PR_GET_CHILD_SUBREAPER, uintptr(unsafe.Pointer(&reaper)), 0, 0, 0) == nil && reaper != 0 {
		// Otherwise the command's orphans would become ours when it ends.
		_ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
		steps = append(steps, step{"adopt orphans", unix.SYS_PRCTL, []uintptr{unix.PR_SET_CHILD_SUBREAPER, 1}, nil})
	}
	for which := range uintptr(3) { // ITIMER_REAL, ITIMER_VIRTUAL and ITIMER_PROF
		timer, err := unix.Setitimer(unix.ItimerWhich(which), unix.Itimerval{})
		if err != nil || timer.Value == (unix.Timeval{}) {
			continue
		}
		value := l.image.words(uint64(timer.Interval.Sec), uint64(timer.Interval.Usec),
			uint64(timer.Value.Sec), uint64(timer.Value.Usec))
		steps = append(steps, step{"set interval timer", unix.SYS_SETITIMER, []uintptr{which, value, 0}, []int{1}})
	}
	return steps
}

// credentialSteps returns the system calls that make the launcher run as the command's
// user, and take away the privileges that the command is not to have.
func (l *launcher) credentialSteps(c Command) (steps []step) {
	if u := c.User; u != nil {
		steps = append(steps,
			step{
				"set groups", unix.SYS_SETGROUPS,
				[]uintptr{uintptr(len(u.Groups)), l.image.put(words32(u.Groups...))}, []int{1},
			},
			step{"set group", unix.SYS_SETGID, []uintptr{uintptr(u.GID)}, nil},
			step{"set user", unix.SYS_SETUID, []uintptr{uintptr(u.UID)}, nil})
	}
	if c.Capabilities != nil {
		header := l.image.put(words32(unix.LINUX_CAPABILITY_VERSION_3, 0))
		var sets []uint32
		for _, s := range c.Capabilities {
			sets = append(sets, s.Effective, s.Permitted, s.Inheritable)
		}
		steps = append(steps,
			step{
				"give up capabilities", unix.SYS_CAPSET,
				[]uintptr{header, l.image.put(words32(sets...))}, []int{0, 1},
			},
			// If this program's file has capabilities, the kernel has made the files in /proc
			// of this process unreadable for its user.
			step{"let the tool read /proc", unix.SYS_PRCTL, []uintptr{unix.PR_SET_DUMPABLE, 1}, nil})
	}
	return steps
}

// execute makes the launcher execute the command, which it looks for as a shell does, and
// returns the errno if it cannot. A file that exists but may not be executed is the reason
// if no other file is found; a directory of PATH that may not be entered is skipped.
func (l *launcher) execute() error {
	var reason error = unix.ENOENT
	for _, file := range l.files {
		err := l.executeFile(file)
		switch {
		case l.named:
			return err
		case err == unix.ENOENT || err == unix.ENOTDIR:
		case err == unix.EACCES:
			if info, err := os.Stat(file.name); err == nil && info.Mode().IsRegular() {
				reason = unix.EACCES
			}
		default:
			return err
		}
	}
	return reason
}

// executeFile makes the launcher execute a file. A script whose first line names no shell
// is executed by the usual one, as execvp does.
func (l *launcher) executeFile(file candidate) error {
	err := l.execve(file.offset, l.argv)
	if err != unix.ENOEXEC || !isText(file.name) {
		return err
	}
	// The shell's second argument is the file.
	if err := l.poke(l.base+l.shellArgv+8, words64(uint64(l.base+file.offset))); err != nil {
		return err
	}
	return l.execve(l.shell, l.shellArgv)
}

// execve returns nil when the launcher's socket is closed: then it is executing the program.
func (l *launcher) execve(file, argv uintptr) error {
	_, err := l.do(unix.SYS_EXECVE, l.base+file, l.base+argv, l.base+l.environ)
	if err == unix.ESRCH {
		return nil
	}
	return err
}

// isText reports whether a file could be a shell script, as bash decides: it is no
// program for another machine, and its first line has no zero byte.
func isText(name string) bool {
	f, err := os.Open(name)
	if err != nil {
		return true // the shell will report the error
	}
	defer f.Close()
	var start [80]byte
	n, _ := f.Read(start[:])
	line, _, _ := strings.Cut(string(start[:n]), "\n")
	return !strings.HasPrefix(line, "\x7fELF") && !strings.Contains(line, "\x00")
}
