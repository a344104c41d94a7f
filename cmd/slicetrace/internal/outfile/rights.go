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

// withRights calls f with the owner's rights on files instead of root's: files that f
// creates belong to the owner, and f may not write where the owner may not. Without an
// owner, and in a process that is not root's, it just calls f.
func withRights(o *Owner, f func() error) error {
	if o == nil || os.Geteuid() != 0 {
		return f()
	}
	done := make(chan error)
	go func() {
		// The rights belong to this thread, which is never unlocked and so ends with them.
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

// becomeOnFiles changes the rights of this thread only. Package syscall would change those
// of every thread.
func becomeOnFiles(o *Owner) error {
	groups := make([]uint32, 0, len(o.Groups)+1)
	for _, g := range o.Groups {
		groups = append(groups, uint32(g))
	}
	groups = append(groups, uint32(o.GID))
	_, _, errno := unix.RawSyscall(unix.SYS_SETGROUPS,
		uintptr(len(groups)), uintptr(unsafe.Pointer(&groups[0])), 0)
	if errno != 0 {
		return fmt.Errorf("set groups: %w", errno)
	}
	// Neither call reports failure; both return the previous user. A call with -1, which is
	// not a valid user, changes nothing and so tells the present one.
	unix.RawSyscall(unix.SYS_SETFSGID, uintptr(o.GID), 0, 0)
	unix.RawSyscall(unix.SYS_SETFSUID, uintptr(o.UID), 0, 0)
	gid, _, _ := unix.RawSyscall(unix.SYS_SETFSGID, ^uintptr(0), 0, 0)
	if int(gid) != o.GID || userOnFiles() != o.UID {
		return unix.EPERM
	}
	return nil
}

// userOnFiles returns the user whose rights on files this thread has.
func userOnFiles() int {
	uid, _, _ := unix.RawSyscall(unix.SYS_SETFSUID, ^uintptr(0), 0, 0)
	return int(uid)
}

// mayReplace reports whether this thread may replace a file in a folder. In a sticky folder,
// such as /tmp, only the file's owner and the folder's may.
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

// isRoots reports whether a folder belongs to root and its mode lets root write to it even
// without CAP_DAC_OVERRIDE.
func isRoots(dir *os.Root) bool {
	info, err := dir.Stat(".")
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Uid == 0 && info.Mode()&0o300 == 0o300
}

// isOwners reports whether a folder belongs to the owner.
func isOwners(dir *os.Root, o *Owner) bool {
	info, err := dir.Stat(".")
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == o.UID
}

// keepOwner gives a file that replaces another the owner and group of that file. Only root
// without sudo does this, and only if the old file was not root's.
func keepOwner(f *os.File, replaced fs.FileInfo) {
	stat, ok := replaced.Sys().(*syscall.Stat_t)
	if ok && os.Geteuid() == 0 && (stat.Uid != 0 || stat.Gid != uint32(os.Getegid())) {
		// If it fails, the file belongs to root, which the user can correct.
		_ = f.Chown(int(stat.Uid), int(stat.Gid))
	}
}
