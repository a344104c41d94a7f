//go:build linux

package outfile

import (
	"fmt"
	"io/fs"
	"os"
	"runtime"
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
	// These two report no failure, but which user is in force. -1 is no valid user, so it
	// changes nothing.
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

// isRoots reports whether a directory belongs to root, and its mode lets root write to it
// even without CAP_DAC_OVERRIDE.
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

// keepOwner gives a file that replaces another to that one's owner and group, where
// this process may: only root in person may, and only for a file of somebody else.
func keepOwner(f *os.File, replaced fs.FileInfo) {
	stat, ok := replaced.Sys().(*syscall.Stat_t)
	if ok && os.Geteuid() == 0 && (stat.Uid != 0 || stat.Gid != uint32(os.Getegid())) {
		_ = f.Chown(int(stat.Uid), int(stat.Gid)) // else it is root's, which can be mended
	}
}
