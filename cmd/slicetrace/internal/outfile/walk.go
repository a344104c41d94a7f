//go:build linux

package outfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// mostLinks is the number of symbolic links that the kernel follows in one path.
const mostLinks = 40

// findPlace finds out where a name leads. It follows only symbolic links that root, this
// process's user or the owner made: a link that another user made in a shared folder could
// lead anywhere. It opens one part of the path after another, so that a part cannot be
// replaced between being examined and being followed.
func findPlace(name string, owner *Owner) (*place, error) {
	dir, base, err := parentOf(unix.AT_FDCWD, name, owner)
	for links := 0; err == nil; links++ {
		var entry int
		entry, err = unix.Openat(dir, base, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if errors.Is(err, unix.ENOENT) {
			return placeIn(dir, base)
		}
		if err != nil {
			break
		}
		var stat unix.Stat_t
		if err = unix.Fstat(entry, &stat); err == nil && stat.Mode&unix.S_IFMT != unix.S_IFLNK {
			return placeOf(dir, base, entry, &stat, owner)
		}
		var target string
		if err == nil && isProc(dir) {
			return procPlace(dir, base, entry)
		}
		if err == nil {
			target, err = readLink(entry, base, &stat, owner)
		}
		unix.Close(entry)
		if err == nil && links == mostLinks {
			err = unix.ELOOP
		}
		if err != nil {
			break
		}
		before := dir
		dir, base, err = parentOf(before, target, owner)
		unix.Close(before)
		if err != nil {
			return nil, err
		}
	}
	if dir >= 0 {
		unix.Close(dir)
	}
	return nil, err
}

// parentOf opens the folder of a name that is relative to the folder at, and returns it with
// the name's last part.
func parentOf(at int, name string, owner *Owner) (dir int, base string, err error) {
	// The name is not cleaned, since ".." after a symbolic link leads elsewhere.
	folder, base := filepath.Split(name)
	if base == "" || base == "." || base == ".." {
		return -1, "", errNoFileName
	}
	dir, err = walk(at, folder, owner)
	return dir, base, err
}

// placeIn returns the place of a file that does not exist yet. It closes dir.
func placeIn(dir int, base string) (*place, error) {
	root, err := rootOf(dir)
	unix.Close(dir)
	if err != nil {
		return nil, err
	}
	return &place{dir: root, base: base}, nil
}

// placeOf returns the place of an existing file. It closes dir, and keeps or closes entry.
func placeOf(dir int, base string, entry int, stat *unix.Stat_t, owner *Owner) (*place, error) {
	held := os.NewFile(uintptr(entry), base)
	p, err := placeIn(dir, base)
	if err != nil {
		held.Close()
		return nil, err
	}
	switch p.held = held; stat.Mode & unix.S_IFMT {
	case unix.S_IFIFO:
		if !trusted(int(stat.Uid), owner) {
			p.close()
			return nil, fmt.Errorf("%s is a pipe of user %d: pipes of other users are not written to", base, stat.Uid)
		}
		fallthrough
	case unix.S_IFCHR:
		// By descriptor, so that it is what was examined, even if the name was reused.
		p.device = fmt.Sprintf("/proc/self/fd/%d", entry)
	}
	if p.info, err = p.dir.Lstat(base); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// procPlace returns the place that a link in /proc leads to. Such a link does not lead where
// its text says, but to a descriptor that this process inherited, as /dev/stdout does, or to
// a stream that another process has open. It closes dir and entry.
func procPlace(dir int, base string, entry int) (*place, error) {
	defer unix.Close(dir)
	defer unix.Close(entry)
	path, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", dir))
	if err != nil {
		return nil, errNoProc
	}
	isOwn := strings.HasPrefix(path, fmt.Sprintf("/proc/%d/", os.Getpid())) && strings.HasSuffix(path, "/fd")
	if number, err := strconv.Atoi(base); err == nil && isOwn {
		stream, err := inherited(number)
		return &place{stream: stream}, err
	}
	fd, err := unix.Openat(dir, base, unix.O_WRONLY|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	stream := os.NewFile(uintptr(fd), base)
	info, err := stream.Stat()
	if err == nil && info.Mode()&(fs.ModeNamedPipe|fs.ModeCharDevice) == 0 {
		err = errors.New("another process's descriptor, which is neither a pipe nor a terminal")
	}
	if err != nil {
		stream.Close()
		return nil, err
	}
	return &place{stream: stream}, nil
}

// inherited returns a descriptor that this process was started with. The descriptors that
// it opened itself are marked close-on-exec; a user cannot mean those.
func inherited(number int) (*os.File, error) {
	flags, err := unix.FcntlInt(uintptr(number), unix.F_GETFD, 0)
	if err == nil && flags&unix.FD_CLOEXEC != 0 {
		err = unix.EBADF
	}
	if err != nil {
		return nil, err
	}
	flags, err = unix.FcntlInt(uintptr(number), unix.F_GETFL, 0)
	if err == nil && flags&unix.O_ACCMODE == unix.O_RDONLY {
		err = errors.New("the descriptor is open for reading only")
	}
	if err != nil {
		return nil, err
	}
	// Duplicated, not opened again, so that the output follows what was written before.
	fd, err := unix.FcntlInt(uintptr(number), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), fmt.Sprintf("descriptor %d", number)), nil
}

func isProc(dir int) bool {
	var system unix.Statfs_t
	return unix.Fstatfs(dir, &system) == nil && system.Type == unix.PROC_SUPER_MAGIC
}

// rootOf makes an os.Root of a folder's descriptor.
func rootOf(dir int) (*os.Root, error) {
	root, err := os.OpenRoot(fmt.Sprintf("/proc/self/fd/%d", dir))
	if errors.Is(err, fs.ErrNotExist) {
		if _, procErr := os.Lstat("/proc/self"); procErr != nil {
			err = errNoProc
		}
	}
	return root, err
}

// openDir opens a folder, and follows links as findPlace does.
func openDir(name string, owner *Owner) (*os.Root, error) {
	dir, err := walk(unix.AT_FDCWD, name, owner)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	defer unix.Close(dir)
	return rootOf(dir)
}

// walk opens the folder name, which is relative to the folder at.
func walk(at int, name string, owner *Owner) (int, error) {
	dir, err := openAt(at, startOf(name))
	for links := 0; err == nil && name != ""; {
		part, rest, _ := strings.Cut(name, "/")
		name = rest
		if part == "" || part == "." {
			continue
		}
		var next int
		var target string
		if next, target, err = step(dir, part, owner); err != nil {
			break
		}
		if target == "" {
			unix.Close(dir)
			dir = next
			continue
		}
		if links++; links > mostLinks {
			err = unix.ELOOP
			break
		}
		name = target + "/" + name
		if strings.HasPrefix(target, "/") {
			unix.Close(dir)
			dir, err = openAt(unix.AT_FDCWD, "/")
		}
	}
	if err != nil && dir >= 0 {
		unix.Close(dir)
		dir = -1
	}
	return dir, err
}

func startOf(name string) string {
	if strings.HasPrefix(name, "/") {
		return "/"
	}
	return "."
}

func openAt(at int, name string) (int, error) {
	return unix.Openat(at, name, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
}

// step opens one part of a path. If it is a symbolic link, its target is returned instead.
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

// trusted reports whether links of a user are followed, and pipes of that user written to.
func trusted(uid int, owner *Owner) bool {
	return uid == 0 || uid == os.Geteuid() || owner != nil && uid == owner.UID
}

func readLink(link int, name string, stat *unix.Stat_t, owner *Owner) (string, error) {
	if !trusted(int(stat.Uid), owner) {
		return "", fmt.Errorf("%s is a symbolic link of user %d: links of other users are not followed", name, stat.Uid)
	}
	var target [unix.PathMax]byte
	n, err := unix.Readlinkat(link, "", target[:])
	if err == nil && n == 0 {
		err = errors.New("empty symbolic link")
	}
	return string(target[:max(n, 0)]), err
}
