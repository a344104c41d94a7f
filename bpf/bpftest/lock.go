package bpftest

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// alone is set in packages whose tests trace.
var alone bool

// Run runs the tests of a package that traces. Those that call Require run while no other such
// package's do: the go command tests several packages at a time, and their loads would disturb each
// other. The other tests, which do not trace, need not wait.
func Run(m *testing.M) int {
	alone = true
	return m.Run()
}

// holding counts the running tests of this process that trace.
var holding struct {
	sync.Mutex
	tests   int
	release func()
}

// runAlone waits until no other package's test traces, and keeps them waiting until this test ends.
func runAlone(t testing.TB) {
	if !alone {
		return
	}
	holding.Lock()
	defer holding.Unlock()
	if holding.tests == 0 {
		// In turn, or a package that releases the lock would have it again before those that wait.
		turn := hold("slicetrace-test-turn.lock", unix.LOCK_EX)
		holding.release = hold("slicetrace-test.lock", unix.LOCK_EX)
		turn()
	}
	holding.tests++
	t.Cleanup(func() {
		holding.Lock()
		defer holding.Unlock()
		if holding.tests--; holding.tests == 0 {
			holding.release()
		}
	})
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
