package report

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// withRights runs f with the owner's rights on files instead of root's: what f
// creates is the owner's, and where the owner may not write f may not either. It
// is just f for no owner and in a process that is not root's.
func withRights(o *Owner, f func() error) error {
	if o == nil || os.Geteuid() != 0 {
		return f()
	}
	done := make(chan error)
	go func() {
		// The rights are the thread's, and end with it: it is never unlocked.
		runtime.LockOSThread()
		err := becomeOnFiles(o)
		if err != nil {
			err = fmt.Errorf("take on the rights of user %d: %w", o.UID, err)
		} else {
			err = f()
		}
		done <- err
	}()
	return <-done
}

// becomeOnFiles changes this thread alone, which package syscall would not do.
func becomeOnFiles(o *Owner) error {
	groups := make([]uint32, 0, len(o.Groups)+1)
	for _, g := range o.Groups {
		groups = append(groups, uint32(g))
	}
	groups = append(groups, uint32(o.GID))
	_, _, errno := unix.RawSyscall(unix.SYS_SETGROUPS, uintptr(len(groups)), uintptr(unsafe.Pointer(&groups[0])), 0)
	if errno != 0 {
		return fmt.Errorf("set groups: %w", errno)
	}
	// These two say nothing when they fail, but what is in force. User -1 is none.
	unix.RawSyscall(unix.SYS_SETFSGID, uintptr(o.GID), 0, 0)
	unix.RawSyscall(unix.SYS_SETFSUID, uintptr(o.UID), 0, 0)
	gid, _, _ := unix.RawSyscall(unix.SYS_SETFSGID, ^uintptr(0), 0, 0)
	if int(gid) != o.GID || userOnFiles() != o.UID {
		return unix.EPERM
	}
	return nil
}

// userOnFiles is whose rights on files this thread has.
func userOnFiles() int {
	uid, _, _ := unix.RawSyscall(unix.SYS_SETFSUID, ^uintptr(0), 0, 0)
	return int(uid)
}

// mayReplace reports whether a file in a directory may be replaced: in a sticky
// one, such as /tmp, only its owner's and the directory's own owner may.
func mayReplace(dir *os.Root, file fs.FileInfo) bool {
	info, err := dir.Stat(".")
	if err != nil {
		return false
	}
	uid := uint32(userOnFiles())
	folder, ok := info.Sys().(*syscall.Stat_t)
	stat, isUnix := file.Sys().(*syscall.Stat_t)
	return !ok || !isUnix || info.Mode()&fs.ModeSticky == 0 || folder.Uid == uid || stat.Uid == uid
}

// isRoots reports whether a directory is root's, and one that root can write to
// without being allowed everything.
func isRoots(dir *os.Root) bool {
	info, err := dir.Stat(".")
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Uid == 0 && info.Mode()&0o300 == 0o300
}

// isOwners reports whether a directory is the owner's.
func isOwners(dir *os.Root, o *Owner) bool {
	info, err := dir.Stat(".")
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == o.UID
}

// mostLinks is how many symbolic links the kernel follows in one path.
const mostLinks = 40

// openDir opens a directory, and on the way to it follows only symbolic links of
// root, of this process's user and of the owner: one that somebody else made, in a
// folder that is shared, could lead anywhere. It goes step by step, so that no
// link can come between looking at it and following it.
func openDir(name string, owner *Owner) (*os.Root, error) {
	at, rest := ".", name
	if filepath.IsAbs(name) {
		at = "/"
	}
	dir, err := unix.Open(at, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	defer func() { unix.Close(dir) }()
	for links := 0; rest != ""; {
		part, after, _ := strings.Cut(rest, "/")
		rest = after
		if part == "" || part == "." {
			continue
		}
		next, target, err := step(dir, part, owner)
		if err != nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: err}
		}
		if target == "" {
			unix.Close(dir)
			dir = next
			continue
		}
		if links++; links > mostLinks {
			return nil, &fs.PathError{Op: "open", Path: name, Err: unix.ELOOP}
		}
		rest = target + "/" + rest
		if strings.HasPrefix(target, "/") {
			unix.Close(dir)
			if dir, err = unix.Open("/", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err != nil {
				return nil, &fs.PathError{Op: "open", Path: name, Err: err}
			}
		}
	}
	return os.OpenRoot(fmt.Sprintf("/proc/self/fd/%d", dir))
}

// step opens one part of a path, or returns where it leads as a symbolic link.
func step(dir int, part string, owner *Owner) (next int, target string, err error) {
	next, err = unix.Openat(dir, part, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, "", err
	}
	var stat unix.Stat_t
	if err = unix.Fstat(next, &stat); err == nil {
		switch stat.Mode & unix.S_IFMT {
		case unix.S_IFDIR:
			return next, "", nil
		case unix.S_IFLNK:
			target, err = readLink(next, part, &stat, owner)
		default:
			err = unix.ENOTDIR
		}
	}
	unix.Close(next)
	return -1, target, err
}

func readLink(link int, name string, stat *unix.Stat_t, owner *Owner) (string, error) {
	uid := int(stat.Uid)
	if uid != 0 && uid != os.Geteuid() && (owner == nil || uid != owner.UID) {
		return "", fmt.Errorf("%s is a symbolic link of user %d, which is not followed", name, uid)
	}
	var target [unix.PathMax]byte
	n, err := unix.Readlinkat(link, "", target[:])
	if err == nil && n == 0 {
		err = errors.New("empty symbolic link")
	}
	return string(target[:max(n, 0)]), err
}
