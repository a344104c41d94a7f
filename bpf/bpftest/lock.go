package bpftest

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// Run runs a package's tests while no other package's run. The go command tests several
// packages at a time, and their loads would disturb each other.
func Run(m *testing.M) int {
	defer hold("slicetrace-test.lock", unix.LOCK_EX)()
	return m.Run()
}

// RunOnEveryCore runs the tests of a package that does not trace, while no other package's tests
// have a core offline; see Plug.
func RunOnEveryCore(m *testing.M) int {
	defer hold(coresLock, unix.LOCK_SH)()
	return m.Run()
}

// coresLock is held exclusively while a core is offline.
const coresLock = "slicetrace-test-cores.lock"

// hold waits for a lock, LOCK_EX or LOCK_SH, that processes of the machine share, and returns how
// to give it back. Without the lock tests are noisier, but as right, except where a core goes.
func hold(name string, how int) (release func()) {
	lock, err := os.OpenFile(filepath.Join(os.TempDir(), name), os.O_CREATE|os.O_RDONLY|unix.O_NOFOLLOW, 0o644)
	if err != nil {
		return func() {}
	}
	for err = unix.EINTR; err == unix.EINTR; { // a signal of the Go runtime
		err = unix.Flock(int(lock.Fd()), how)
	}
	return func() { lock.Close() }
}
