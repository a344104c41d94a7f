package bpftest

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// A test that traces keeps other processes' waiting until it ends, also if its subtests trace too.
func TestTurns(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	alone = true
	defer func() { alone = false }()
	free := func() bool {
		lock, err := os.OpenFile(filepath.Join(os.TempDir(), "slicetrace-test.lock"), os.O_CREATE|os.O_RDONLY, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		defer lock.Close()
		return unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil
	}
	if !free() {
		t.Fatal("the lock is held before any test traces")
	}
	for range 2 {
		t.Run("traces", func(t *testing.T) {
			runAlone(t)
			t.Run("part", func(t *testing.T) { runAlone(t) })
			if free() {
				t.Error("another process could trace beside this test")
			}
		})
		if !free() {
			t.Error("the lock is held after the test that traces")
		}
	}
}
