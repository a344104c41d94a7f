//go:build linux

package outfile

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// createUnnamed opens a new file in dir that has no name there, so that it vanishes when
// this process ends, for whatever reason. Not every file system can do that. Errors of the
// file contain the given name.
func createUnnamed(dir *os.Root, name string) (*os.File, error) {
	folder, err := dir.Open(".")
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	fd, err := unix.Openat(int(folder.Fd()), ".", unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open unnamed file: %w", err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

// nameUnnamed gives a file of createUnnamed a name, which must be free.
func nameUnnamed(f *os.File, dir *os.Root, name string) error {
	folder, err := dir.Open(".")
	if err != nil {
		return err
	}
	defer folder.Close()
	// AT_EMPTY_PATH would need CAP_DAC_READ_SEARCH.
	file := fmt.Sprintf("/proc/self/fd/%d", f.Fd())
	return unix.Linkat(unix.AT_FDCWD, file, int(folder.Fd()), name, unix.AT_SYMLINK_FOLLOW)
}
