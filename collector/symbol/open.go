package symbol

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// openMapped opens the file that a process has mapped. The kernel's link to it needs
// CAP_CHECKPOINT_RESTORE and names the very file, deleted or replaced ones too. The path, in the
// process's own root, can be of another file by now.
func openMapped(pid int, m *mapping) (*os.File, error) {
	link := fmt.Sprintf("/proc/%d/map_files/%x-%x", pid, m.start, m.end)
	// A device could act on being opened, so look first.
	if info, err := os.Stat(link); err == nil {
		if !info.Mode().IsRegular() {
			return nil, NotELF
		}
		if f, err := os.OpenFile(link, os.O_RDONLY|unix.O_NONBLOCK, 0); err == nil {
			return f, nil
		}
	}
	return openAtPath(pid, m)
}

// openAtPath opens the file at a mapping's path, if it is the one that is mapped.
func openAtPath(pid int, m *mapping) (*os.File, error) {
	if strings.HasSuffix(m.path, deleted) {
		return nil, Gone
	}
	// The kernel prints the path as it is in the process's root or, of a file below ours, in ours.
	f, err := openSame(fmt.Sprintf("/proc/%d/root", pid), m)
	if err != nil {
		if own, ownErr := openSame("/", m); ownErr == nil {
			return own, nil
		}
	}
	return f, err
}

// openSame opens the file at a mapping's path below a root, if it is the one that is mapped.
func openSame(root string, m *mapping) (*os.File, error) {
	f, err := openInRoot(root, m.path)
	switch {
	case errors.Is(err, unix.ENOENT):
		return nil, Gone
	case err != nil:
		return nil, Unreadable
	}
	var s unix.Stat_t
	// File systems of several devices (btrfs, overlayfs) tell stat another one than the mapping's:
	// such devices have no major number.
	if unix.Fstat(int(f.Fd()), &s) != nil || s.Ino != m.inode ||
		s.Dev != m.device && (unix.Major(s.Dev) != 0 || unix.Major(m.device) != 0) {
		f.Close()
		return nil, Replaced
	}
	return f, nil
}

// openInRoot opens a regular file below a folder as a process with that root would. Links cannot
// lead out of it: a container chooses its links.
func openInRoot(root, path string) (*os.File, error) {
	folder, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(folder)
	// O_PATH only looks: opening a device or a pipe could act on it.
	fd, err := unix.Openat2(folder, path, &unix.OpenHow{
		Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	})
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var s unix.Stat_t
	if err := unix.Fstat(fd, &s); err != nil {
		return nil, err
	}
	if s.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, unix.EINVAL
	}
	return os.Open(fmt.Sprintf("/proc/self/fd/%d", fd))
}
