package report

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// Owner is the user and group that a file shall belong to, and with whose rights
// root writes it: Groups are the user's others.
type Owner struct {
	UID, GID int
	Groups   []int
}

// WriteFile saves the report under name with mode 0644, whole or not at all:
// it writes beside, syncs and renames, and on any error leaves neither a
// temporary file nor a changed name. Where the file system can, what it writes has
// no name until it is whole, so that not even SIGKILL leaves any of it. A name that is a symbolic link, a device or
// anything else but a regular file is refused, and so is a directory that is
// reached by a symbolic link of another user: root neither follows a planted link
// nor replaces a device.
//
// With an owner, root writes with the owner's rights, and the file is the owner's.
// Where those do not suffice root's own will do in a directory of root's, which is
// what "sudo ... -o /etc/x" asks for; the file is given to the owner even so. A
// third user's directory is refused.
func WriteFile(name string, r *Report, owner *Owner) error {
	return writeFile(name, owner, func(w io.Writer) error { return Encode(w, r) }, (*os.Root).Rename)
}

// WriteNewFile is WriteFile for a name that nobody chose: where there is such a
// file it takes the next free one of name-2, name-3 and so on, and returns it.
func WriteNewFile(name string, r *Report, owner *Owner) (string, error) {
	chosen := name
	place := func(dir *os.Root, temporary, base string) error {
		extension := filepath.Ext(base)
		final := base
		for n := 2; ; n++ {
			chosen = filepath.Join(filepath.Dir(name), final)
			switch err := dir.Link(temporary, final); {
			case err == nil:
				return dir.Remove(temporary)
			case !errors.Is(err, fs.ErrExist):
				return dir.Rename(temporary, final) // a file system without links
			}
			final = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(base, extension), n, extension)
		}
	}
	err := writeFile(name, owner, func(w io.Writer) error { return Encode(w, r) }, place)
	return chosen, err
}

// WriteText saves a text as WriteFile saves a report.
func WriteText(name string, text []byte, owner *Owner) error {
	return WriteStream(name, owner, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

// WriteStream saves what write writes as WriteFile saves a report.
func WriteStream(name string, owner *Owner, write func(io.Writer) error) error {
	return writeFile(name, owner, write, (*os.Root).Rename)
}

// writeFile has place move the whole file from its temporary name to its own.
func writeFile(name string, owner *Owner, write func(io.Writer) error, place placeFunc) error {
	o, err := CreateOutput(name, owner)
	if err != nil {
		return err
	}
	o.place = place
	if err := write(o); err != nil {
		return o.fail(err)
	}
	return o.Commit()
}

// placeFunc moves a file in a directory to its final name.
type placeFunc func(dir *os.Root, temporary, final string) error

// writeIn writes a file in dir, which is name's, and gives it to owner if that is
// not nil.
func writeIn(dir *os.Root, name string, owner *Owner, write func(io.Writer) error) error {
	o, err := createIn(dir, name)
	if err != nil {
		return err
	}
	o.owner = owner
	if err := write(o); err != nil {
		return o.fail(err)
	}
	return o.Commit()
}

// Output is a file that is written beside its name, and has it only when whole.
type Output struct {
	file            *os.File
	dir             *os.Root
	closeDir        bool
	name, temporary string
	// unnamed says that the file does not have its temporary name yet.
	unnamed bool
	// rights are whose rights it is written with, nil for the process's own, and
	// owner is who is given it then.
	rights, owner *Owner
	place         placeFunc
}

// CreateOutput begins a file as WriteFile describes it. Commit or Abort ends it.
func CreateOutput(name string, owner *Owner) (*Output, error) {
	var o *Output
	create := func() error {
		dir, err := openParent(name, owner)
		if err != nil {
			return err
		}
		if o, err = createIn(dir, name); err != nil {
			dir.Close()
			return err
		}
		o.closeDir = true
		return nil
	}
	err := withRights(owner, create)
	if err == nil {
		o.rights = owner
		return o, nil
	}
	if owner == nil || !errors.Is(err, fs.ErrPermission) {
		return nil, err
	}
	if !rootsAlone(name, owner) {
		return nil, fmt.Errorf("as user %d, who called sudo: %w", owner.UID, err)
	}
	if err := create(); err != nil {
		return nil, err
	}
	o.owner = owner
	return o, nil
}

// rootsAlone reports whether the directory of name is root's.
func rootsAlone(name string, owner *Owner) bool {
	dir, err := openParent(name, owner)
	if err != nil {
		return false
	}
	defer dir.Close()
	return isRoots(dir)
}

// createIn begins a file in dir, which is name's and stays the caller's to close.
func createIn(dir *os.Root, name string) (*Output, error) {
	if err := checkName(dir, name); err != nil {
		return nil, err
	}
	if f, err := createUnnamed(dir, name); err == nil {
		return &Output{file: f, dir: dir, name: name, unnamed: true, place: (*os.Root).Rename}, nil
	}
	return createNamed(dir, name)
}

// createNamed begins a file where the file system has none without a name.
func createNamed(dir *os.Root, name string) (*Output, error) {
	o := &Output{dir: dir, name: name, place: (*os.Root).Rename}
	var err error
	o.temporary, err = beside(func(temporary string) (err error) {
		o.file, err = dir.OpenFile(temporary, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		return err
	})
	if err != nil {
		return nil, outputError(name, err)
	}
	return o, nil
}

// Write adds to the file. It is not buffered. Its error does not name the
// temporary file, which no user has heard of.
func (o *Output) Write(p []byte) (int, error) {
	n, err := o.file.Write(p)
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return n, err
}

// Commit gives the file its name, or on any error leaves nothing behind.
func (o *Output) Commit() error {
	if err := withRights(o.rights, o.finish); err != nil {
		return o.fail(err)
	}
	o.release()
	return nil
}

// Abort leaves nothing behind.
func (o *Output) Abort() {
	o.file.Close()
	if !o.unnamed {
		// It fails where the directory is gone too, or somebody else's by now.
		_ = withRights(o.rights, func() error { return o.dir.Remove(o.temporary) })
	}
	o.release()
}

func (o *Output) release() {
	if o.closeDir {
		o.dir.Close()
	}
}

func (o *Output) fail(err error) error {
	o.Abort()
	return fmt.Errorf("write %s: %w; choose another place with -o", o.name, err)
}

func (o *Output) finish() error {
	// By descriptor, never by name: the directory may belong to someone else.
	if err := o.file.Chmod(0o644); err != nil {
		return err
	}
	if err := o.file.Sync(); err != nil {
		return err
	}
	// Ahead of giving it away: root without all capabilities may not link others' files.
	if err := o.appear(); err != nil {
		return err
	}
	if o.owner != nil {
		if err := o.file.Chown(o.owner.UID, o.owner.GID); err != nil {
			return err
		}
	}
	if err := o.file.Close(); err != nil {
		return err
	}
	return o.place(o.dir, o.temporary, filepath.Base(o.name))
}

// appear gives an unnamed file its temporary name.
func (o *Output) appear() error {
	if !o.unnamed {
		return nil
	}
	var err error
	o.temporary, err = beside(func(temporary string) error { return nameUnnamed(o.file, o.dir, temporary) })
	o.unnamed = err != nil
	return err
}

// CheckOutput returns the error that WriteFile would meet when it opens name,
// so that a run can fail before it measures. It leaves nothing behind.
func CheckOutput(name string, owner *Owner) error {
	o, err := CreateOutput(name, owner)
	if err != nil {
		return err
	}
	o.Abort()
	return nil
}

// openParent opens the directory of name.
func openParent(name string, owner *Owner) (*os.Root, error) {
	if base := filepath.Base(name); name == "" || os.IsPathSeparator(name[len(name)-1]) || base == "." || base == ".." {
		return nil, fmt.Errorf("open output %q: no file name; choose one with -o", name)
	}
	// Not cleaned: after a symbolic link ".." leads elsewhere.
	folder, _ := filepath.Split(name)
	if folder == "" {
		folder = "."
	}
	dir, err := openDir(folder, owner)
	if err != nil {
		return nil, outputError(name, err)
	}
	return dir, nil
}

// checkName refuses a name in dir that is not to be replaced.
func checkName(dir *os.Root, name string) error {
	switch info, err := dir.Lstat(filepath.Base(name)); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return outputError(name, err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("open output %s: not a regular file (%s); choose another name with -o", name, info.Mode().Type())
	case !mayReplace(dir, info):
		return outputError(name, fmt.Errorf("replace the file of another user: %w", fs.ErrPermission))
	}
	return nil
}

// beside has create try temporary names until one is free, and returns it.
func beside(create func(temporary string) error) (temporary string, err error) {
	for range 100 {
		temporary = fmt.Sprintf(".slicetrace-%08x.tmp", rand.Uint32())
		if err = create(temporary); !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	return temporary, err
}

// outputError names the output that was asked for instead of a temporary one.
func outputError(name string, err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Errorf("open output %s: %w; choose another place with -o", name, err)
}
