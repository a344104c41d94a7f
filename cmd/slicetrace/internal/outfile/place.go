//go:build linux

package outfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// errNoProc is the error for a folder that is open but cannot be used, for want of /proc.
var errNoProc = errors.New("/proc, which is needed to write files, is not mounted or is hidden: " +
	"mount it (mount -t proc proc /proc)")

// errNoFileName is the error for a name that does not end in a file's name.
var errNoFileName = errors.New("no file name")

// place is what the name of an output leads to: a folder and a name in it that is not a
// symbolic link, or a stream that is open already.
type place struct {
	dir  *os.Root
	base string
	// info describes what has the name, nil if the name is free.
	info fs.FileInfo
	// device is the path of a pipe or a character device, "" for anything else.
	device string
	// held is open so that device cannot be replaced.
	held   *os.File
	stream *os.File
}

// close closes everything that a place holds except its stream.
func (p *place) close() {
	if p.dir != nil {
		p.dir.Close()
	}
	if p.held != nil {
		p.held.Close()
	}
}

// open returns the stream, pipe or device to write to, nil if the place is a file's.
func (p *place) open() (*os.File, error) {
	if p.stream != nil || p.device == "" {
		return p.stream, nil
	}
	return os.OpenFile(p.device, os.O_WRONLY, 0)
}

// create begins an output at a place, and closes the place.
func (p *place) create(name string) (*File, error) {
	stream, err := p.open()
	if err != nil || stream != nil {
		p.close()
	}
	if err != nil {
		return nil, outputError(name, err)
	}
	if stream != nil {
		return &File{file: stream, stream: true, owned: true, name: name}, nil
	}
	o, err := p.createFile(name)
	if p.held != nil {
		p.held.Close()
	}
	if err != nil {
		p.dir.Close()
		return nil, err
	}
	o.owned = true
	return o, nil
}

func (p *place) createFile(name string) (*File, error) {
	replaced, err := mayBegin(p.dir, name, p.base)
	if err != nil {
		return nil, err
	}
	return createIn(p.dir, name, p.base, replaced)
}

// openParent opens the folder of name, and returns it with the name's last part.
func openParent(name string, owner *Owner) (dir *os.Root, base string, err error) {
	// The name is not cleaned, since ".." after a symbolic link leads elsewhere.
	folder, base := filepath.Split(name)
	if base == "" || base == "." || base == ".." {
		return nil, "", outputError(name, errNoFileName)
	}
	if folder == "" {
		folder = "."
	}
	if dir, err = openDir(folder, owner); err != nil {
		return nil, "", outputError(name, err)
	}
	return dir, base, nil
}

// mayBegin checks that an output may have a name, and returns the file that it replaces,
// nil if there is none.
func mayBegin(dir *os.Root, name, base string) (fs.FileInfo, error) {
	switch info, err := dir.Lstat(base); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, outputError(name, err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("open output %s: not a regular file (%s); choose another name", name, kindOf(info))
	case info.Mode().Perm()&0o222 == 0:
		// Root could write to it, but somebody took the trouble to protect it.
		return nil, outputError(name, fmt.Errorf("replace a file that nobody may write to (mode %04o): %w",
			info.Mode().Perm(), fs.ErrPermission))
	case !mayReplace(dir, info):
		return nil, outputError(name, fmt.Errorf("replace the file of another user: %w", fs.ErrPermission))
	default:
		return info, nil
	}
}

// kindOf names the kind of a file.
func kindOf(info fs.FileInfo) string {
	switch mode := info.Mode(); {
	case mode.IsRegular():
		return "a file"
	case mode.IsDir():
		return "a directory"
	case mode&fs.ModeSymlink != 0:
		return "a symbolic link"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeNamedPipe != 0:
		return "a pipe"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return info.Mode().Type().String()
}

// outputError returns an error that names the output as the user did, not a temporary file.
func outputError(name string, err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	if name == "" {
		name = `""`
	}
	if errors.Is(err, errNoProc) { // another place would not help
		return fmt.Errorf("open output %s: %w", name, err)
	}
	return fmt.Errorf("open output %s: %w; %s", name, err, outputRemedy(err))
}

// outputRemedy returns what the user can do about an output that cannot be written. If a
// limit of the process is the cause, another place would not help.
func outputRemedy(err error) string {
	switch {
	case errors.Is(err, syscall.EFBIG):
		return "raise the limit on the size of files (ulimit -f)"
	case errors.Is(err, syscall.EMFILE):
		return "raise the limit on open files (ulimit -n)"
	}
	return "choose another place"
}
