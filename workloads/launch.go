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

// Inheritance is what this process was given by whoever executed it, and Go's
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

// present is the inheritance of a command for which none is given: this process's
// own signals, but those that it handles.
func present() *Inheritance {
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

// launcher is the servant that becomes a command: it has the command's pid.
type launcher struct {
	*servant
	// image is what the command's execution needs in memory, and base where it is.
	image memory
	base  uintptr
	// argv and environ are places in the image; shell is argv as a shell's that runs
	// a file as a script, whose own name is at script.
	argv, environ, shell, script uintptr
	// files are where the program may be, in the order of PATH, or what the user named.
	files []candidate
	named bool
}

// candidate is a file that may be the program.
type candidate struct {
	name  string
	place uintptr
}

// defaultPath is searched when PATH is not set, as execvp does.
const defaultPath = "/bin:/usr/bin"

// scriptShell runs a file that is executable and no program.
const scriptShell = "/bin/sh"

// candidates returns the files that a shell would try for a program, without those
// of which it is plain that they do not exist.
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
	for dir := range strings.SplitSeq(path, ":") { // an empty one is this folder
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

// startLauncher starts a launcher that has all that the command is to have.
func startLauncher(c Command) (*launcher, error) {
	s, err := startServant()
	if err != nil {
		return nil, err
	}
	l := &launcher{servant: s}
	if c.Signals != nil {
		s.idle = l.stopWithIt
	}
	// A signal that came meanwhile can have ended it by now, as it would have ended the
	// command: Release says so, and Wait how.
	if err := l.prepare(c); err != nil && !errors.Is(err, unix.ESRCH) {
		return nil, errors.Join(err, s.end())
	}
	return l, nil
}

// stopWithIt stops this process too where a key of the terminal has stopped the launcher,
// as long as there is nobody else to do so.
func (l *launcher) stopWithIt() {
	if event, sig, err := l.event(unix.WSTOPPED | unix.WNOHANG); err == nil && event == cldStopped {
		DieOf(sig)
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
	l.script = l.image.text(scriptShell)
	// The second of these is the file's name, which is not known yet.
	l.shell = l.image.vector(append([]string{scriptShell, ""}, c.Argv[1:]...))
	inherited := c.Inherited
	if inherited == nil {
		inherited = present()
	}
	steps := l.become(c, inherited)
	var err error
	if l.base, err = l.image.place(l.servant); err != nil {
		return err
	}
	for _, step := range steps {
		for _, a := range step.places {
			step.args[a] += l.base
		}
		if _, err := l.do(step.call, step.args...); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	return nil
}

// step is a system call of the launcher's.
type step struct {
	what string
	call uintptr
	args []uintptr
	// places are those arguments that are places in the image.
	places []int
}

// become returns what makes a fork of this process what its execution would have
// made of it. Signals are let through last.
func (l *launcher) become(c Command, inherited *Inheritance) (steps []step) {
	add := func(what string, call uintptr, args ...uintptr) { steps = append(steps, step{what, call, args, nil}) }
	at := func(argument int) { steps[len(steps)-1].places = append(steps[len(steps)-1].places, argument) }
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
	steps = append(steps, l.credentials(c)...)
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
		steps = append(steps, l.handOver()...)
	}
	add("set signal mask", unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, l.image.words(inherited.Blocked), 0, 8)
	at(1)
	return steps
}

// handOver returns what makes the launcher have what an execution keeps and a fork
// does not, and takes that off this process.
func (l *launcher) handOver() (steps []step) {
	var reaper int32
	if unix.Prctl(unix.PR_GET_CHILD_SUBREAPER, uintptr(unsafe.Pointer(&reaper)), 0, 0, 0) == nil && reaper != 0 {
		// Or the command's orphans would become ours when it ends.
		_ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
		steps = append(steps, step{"adopt orphans", unix.SYS_PRCTL, []uintptr{unix.PR_SET_CHILD_SUBREAPER, 1}, nil})
	}
	for which := range uintptr(3) { // ITIMER_REAL, ITIMER_VIRTUAL and ITIMER_PROF
		timer, err := unix.Setitimer(unix.ItimerWhich(which), unix.Itimerval{})
		if err != nil || timer.Value == (unix.Timeval{}) {
			continue
		}
		value := l.image.words(uint64(timer.Interval.Sec), uint64(timer.Interval.Usec), uint64(timer.Value.Sec), uint64(timer.Value.Usec))
		steps = append(steps, step{"set interval timer", unix.SYS_SETITIMER, []uintptr{which, value, 0}, []int{1}})
	}
	return steps
}

// credentials returns what makes the launcher the user's, and takes what it has of
// our privileges where it is not root's.
func (l *launcher) credentials(c Command) (steps []step) {
	if u := c.User; u != nil {
		steps = append(steps,
			step{"set groups", unix.SYS_SETGROUPS, []uintptr{uintptr(len(u.Groups)), l.image.put(words32(u.Groups...))}, []int{1}},
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
			step{"give up capabilities", unix.SYS_CAPSET, []uintptr{header, l.image.put(words32(sets...))}, []int{0, 1}},
			// Executing a file with capabilities hid what /proc says of us from our own user.
			step{"let the tool read /proc", unix.SYS_PRCTL, []uintptr{unix.PR_SET_DUMPABLE, 1}, nil})
	}
	return steps
}

// execute makes the launcher the command, which it looks for as a shell does, and
// returns the reason if it cannot. A file that is there but may not be executed is
// remembered while the search goes on; a directory of PATH that may not be entered
// holds no program.
func (l *launcher) execute() error {
	var reason error = unix.ENOENT
	for _, file := range l.files {
		err := l.try(file)
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

// try makes the launcher execute a file, a script without a first line that names a
// shell too, as execvp does.
func (l *launcher) try(file candidate) error {
	err := l.exec(file.place, l.argv)
	if err != unix.ENOEXEC || !isText(file.name) {
		return err
	}
	// The shell's second argument is the file.
	if err := l.store(l.base+l.shell+8, words64(uint64(l.base+file.place))); err != nil {
		return err
	}
	return l.exec(l.script, l.shell)
}

// exec returns nil when the launcher's socket is closed, for then it is the program.
func (l *launcher) exec(file, argv uintptr) error {
	_, err := l.do(unix.SYS_EXECVE, l.base+file, l.base+argv, l.base+l.environ)
	if err == unix.ESRCH {
		return nil
	}
	return err
}

// isText reports whether a file could be a script for a shell, as bash decides it: no
// program for another kind of machine, and no zero byte in its first line.
func isText(name string) bool {
	f, err := os.Open(name)
	if err != nil {
		return true // the shell will say why
	}
	defer f.Close()
	var begin [80]byte
	n, _ := f.Read(begin[:])
	line, _, _ := strings.Cut(string(begin[:n]), "\n")
	return !strings.HasPrefix(line, "\x7fELF") && !strings.Contains(line, "\x00")
}
