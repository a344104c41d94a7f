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
	name := filepath.Join(os.TempDir(), "slicetrace-test.lock")
	lock, err := os.OpenFile(name, os.O_CREATE|os.O_RDONLY|unix.O_NOFOLLOW, 0o644)
	if err == nil {
		defer lock.Close()
		// Without the lock the tests are noisier, but just as correct.
		_ = unix.Flock(int(lock.Fd()), unix.LOCK_EX)
	}
	return m.Run()
}
