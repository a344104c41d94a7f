package bpftest

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// Run runs a package's tests while no other package's run: packages are tested
// at the same time, but one load at a time is enough for the cores.
func Run(m *testing.M) int {
	lock, err := os.OpenFile(filepath.Join(os.TempDir(), "slicetrace-test.lock"), os.O_CREATE|os.O_RDONLY|unix.O_NOFOLLOW, 0o644)
	if err == nil {
		defer lock.Close()
		// Without the lock the tests are noisier, and no less right.
		_ = unix.Flock(int(lock.Fd()), unix.LOCK_EX)
	}
	return m.Run()
}
