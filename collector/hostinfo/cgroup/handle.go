package cgroup

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// kernfsHandle is the type of a file handle that is the id of a node in kernfs, since Linux 5.5
// (33c5ac917519).
const kernfsHandle = 0xfe // FILEID_KERNFS

// probe finds out whether a mount shows the whole hierarchy, and whether groups can be opened by
// id.
func probe(mount int, place Mount) (whole, byHandle bool) {
	var fs unix.Statfs_t
	var dir unix.Stat_t
	if unix.Fstatfs(mount, &fs) != nil || unix.Fstat(mount, &dir) != nil {
		return false, false
	}
	if fs.Type != unix.CGROUP_SUPER_MAGIC && fs.Type != unix.CGROUP2_SUPER_MAGIC {
		return place.Root == "/", false
	}
	fd, err := openHandle(mount, dir.Ino)
	if err == nil {
		unix.Close(fd)
	}
	// The first node of a hierarchy has the number 1. Mount.Root does not tell: a cgroup namespace
	// shows its own topmost group as "/", and the hierarchy's as "/..".
	return dir.Ino == 1, err == nil
}

// openHandle opens the directory of a group by its id.
func openHandle(mount int, id uint64) (int, error) {
	handle := unix.NewFileHandle(kernfsHandle, binary.NativeEndian.AppendUint64(nil, id))
	for {
		fd, err := unix.OpenByHandleAt(mount, handle, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC)
		if !errors.Is(err, unix.EINTR) {
			return fd, err
		}
	}
}

// pathByHandle returns the path of a group below the mount or, if it is Outside, as pathByMember
// does. The state is Pending if it must be searched.
func (r *Resolver) pathByHandle(id uint64) (string, State) {
	fd, err := openHandle(r.mount, id)
	switch {
	case errors.Is(err, unix.ESTALE), errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR):
		return "", Gone
	case err != nil:
		return "", Pending
	}
	defer unix.Close(fd)
	return r.pathOf(fd)
}

func (r *Resolver) pathOf(fd int) (string, State) {
	full, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
	if err != nil {
		return "", Pending
	}
	below, ok := strings.CutPrefix(full, r.dir)
	visible := ok && (below == "" || below[0] == '/')
	certain := r.hierarchy.Whole && !strings.HasSuffix(full, " (deleted)")
	if visible && (certain || sameFile(full, fd)) {
		return filepath.Join("/", below), Present
	}
	// The kernel marks a directory that was removed since it was opened.
	if path, deleted := strings.CutSuffix(full, " (deleted)"); deleted && !exists(fd) {
		if below, ok := strings.CutPrefix(path, r.dir+"/"); ok {
			return "/" + below, Gone
		}
		return "", Gone
	}
	if r.hierarchy.Whole {
		return "", Pending
	}
	return r.pathByMember(fd), Outside // the kernel shows "/"
}

// pathByMember returns the path of a group that is not visible as the kernel shows it for a
// process in the group, "" if there is none.
func (r *Resolver) pathByMember(group int) string {
	member := func() string {
		fd, err := unix.Openat(group, "cgroup.procs", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return ""
		}
		defer unix.Close(fd)
		text, _ := readAt(fd)
		pid, _, _ := strings.Cut(text, "\n")
		return pid
	}
	pid := member()
	if pid == "" || pid == "0" { // it is of a PID namespace that is not visible either
		return ""
	}
	text, err := os.ReadFile("/proc/" + pid + "/cgroup")
	if err != nil || member() != pid { // it has ended, or was moved
		return ""
	}
	return PathIn(string(text), r.hierarchy.Version)
}

// sameFile reports whether a path leads to the directory that is open.
func sameFile(path string, fd int) bool {
	var a, b unix.Stat_t
	return unix.Lstat(path, &a) == nil && unix.Fstat(fd, &b) == nil && a.Ino == b.Ino && a.Dev == b.Dev
}

// exists reports whether the directory that is open has not been removed.
func exists(fd int) bool {
	var dot unix.Stat_t
	return unix.Fstatat(fd, "cgroup.procs", &dot, 0) == nil
}

// openDir opens the directory of a group, and of no other that has come to have the same path.
func (r *Resolver) openDir(e *entry) (int, error) {
	if r.hierarchy.ByHandle {
		return openHandle(r.mount, e.ID)
	}
	if e.raw == "" {
		return -1, unix.ENOENT
	}
	fd, err := unix.Open(filepath.Join(r.dir, e.raw), unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	var dir unix.Stat_t
	if err := unix.Fstat(fd, &dir); err != nil || dir.Ino != e.ID {
		unix.Close(fd)
		return -1, unix.ENOENT
	}
	return fd, nil
}
