//go:build linux

package outfile

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

// Write saves what write writes under name, whole or not at all: it writes beside, syncs
// and renames, and on any error leaves neither a temporary file nor a changed name.
// Where the file system can, what it writes has no name until it is whole, so that not
// even SIGKILL leaves any of it. A new file has mode 0644; one that replaces another
// has that one's, and one that nobody may write to is not replaced.
//
// A symbolic link is followed where root, this process's user or the owner made it, and
// refused where somebody else did, wherever in the name it stands: root goes nowhere by
// a planted link. A pipe or a character device is written to as it is; other things,
// such as a disk, are refused.
//
// With an owner, root writes with the owner's rights, and the file is the owner's.
// Where those do not suffice root's own will do in a directory of root's, which is
// what "sudo ... -o /etc/x" asks for; the file is given to the owner even so. A
// third user's directory is refused.
func Write(name string, owner *Owner, write func(io.Writer) error) error {
	o, err := Create(name, owner)
	if err != nil {
		return err
	}
	return o.use(write)
}

// WriteNew is Write for a name that nobody chose: where there is anything of
// that name it takes the next free one of name-2, name-3 and so on, and returns it.
func WriteNew(name string, owner *Owner, write func(io.Writer) error) (string, error) {
	chosen := name
	o, err := createOutput(name, owner, true)
	if err != nil {
		return name, err
	}
	o.place = func(dir *os.Root, temporary, base string) error {
		extension := filepath.Ext(base)
		final := base
		for n := 2; ; n++ {
			chosen = filepath.Join(filepath.Dir(name), final)
			if err := placeNew(dir, temporary, final); !errors.Is(err, fs.ErrExist) {
				return err
			}
			final = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(base, extension), n, extension)
		}
	}
	err = o.use(write)
	return chosen, err
}

// placeNew moves a file to a name that nothing has, or fails with ErrExist.
func placeNew(dir *os.Root, temporary, final string) error {
	err := dir.Link(temporary, final)
	if err == nil {
		return dir.Remove(temporary)
	}
	if errors.Is(err, fs.ErrExist) {
		return err
	}
	// A file system without hard links: whoever makes the name has it.
	reserved, err := dir.OpenFile(final, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(reserved.Close(), dir.Rename(temporary, final)); err != nil {
		return errors.Join(err, dir.Remove(final))
	}
	return nil
}

// placeFunc moves a file in a directory to its final name.
type placeFunc func(dir *os.Root, temporary, final string) error

// writeIn writes a file in dir, which is name's, and gives it to owner if that is
// not nil.
func writeIn(dir *os.Root, name string, owner *Owner, write func(io.Writer) error) error {
	o, err := (&place{dir: dir, base: filepath.Base(name)}).createFile(name)
	if err != nil {
		return err
	}
	o.owner = owner
	return o.use(write)
}

// File is an output that is written beside its name, and has it only when whole, or a
// stream that is written to as it is.
type File struct {
	file *os.File
	// stream says that the file is a stream, which has no directory and no end here.
	stream bool
	dir    *os.Root
	// owned says that the stream or the directory is this output's to close.
	owned           bool
	name            string // as it was given
	base, temporary string // in dir
	// unnamed says that the file does not have its temporary name yet.
	unnamed bool
	// replaced is the file that has the name now, nil where there is none.
	replaced fs.FileInfo
	// rights are whose rights it is written with, nil for the process's own, and
	// owner is who is given it then.
	rights, owner *Owner
	place         placeFunc
	// failed says that the file, and not what was to be in it, is to blame.
	failed bool
}

// Create begins a file as Write describes it. Commit or Abort ends it.
func Create(name string, owner *Owner) (*File, error) {
	return createOutput(name, owner, false)
}

// createOutput begins a file; a fresh one will have a name that nothing has yet.
func createOutput(name string, owner *Owner, fresh bool) (*File, error) {
	var o *File
	rights, err := withEither(name, owner, func() (err error) {
		o, err = create(name, owner, fresh)
		return err
	})
	if err != nil {
		return nil, err
	}
	if o.rights = rights; rights == nil {
		o.owner = owner
	}
	return o, nil
}

func create(name string, owner *Owner, fresh bool) (*File, error) {
	if fresh {
		dir, base, err := openParent(name, owner)
		if err != nil {
			return nil, err
		}
		o, err := createIn(dir, name, base, nil)
		if err != nil {
			dir.Close()
			return nil, err
		}
		o.owned = true
		return o, nil
	}
	p, err := findPlace(name, owner)
	if err != nil {
		return nil, outputError(name, err)
	}
	return p.create(name)
}

// withEither calls create with the owner's rights or, where those do not suffice in
// a directory of root's, with root's own, and returns the owner whose rights they were.
func withEither(name string, owner *Owner, create func() error) (rights *Owner, err error) {
	err = withRights(owner, create)
	if err == nil || owner == nil || !errors.Is(err, fs.ErrPermission) {
		return owner, err
	}
	if !rootsAlone(name, owner) {
		return nil, fmt.Errorf("as user %d, who called sudo: %w", owner.UID, err)
	}
	return nil, create()
}

// rootsAlone reports whether the directory of what name leads to is root's.
func rootsAlone(name string, owner *Owner) bool {
	p, err := findPlace(name, owner)
	if err != nil {
		return false
	}
	defer p.close()
	return p.dir != nil && p.device == "" && isRoots(p.dir)
}

// createIn begins a file in dir, which stays the caller's to close.
func createIn(dir *os.Root, name, base string, replaced fs.FileInfo) (*File, error) {
	if f, err := createUnnamed(dir, name); err == nil {
		return &File{file: f, dir: dir, name: name, base: base, unnamed: true, replaced: replaced, place: (*os.Root).Rename}, nil
	}
	return createNamed(dir, name, base, replaced)
}

// createNamed begins a file where the file system has none without a name.
func createNamed(dir *os.Root, name, base string, replaced fs.FileInfo) (*File, error) {
	o := &File{dir: dir, name: name, base: base, replaced: replaced, place: (*os.Root).Rename}
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
func (o *File) Write(p []byte) (int, error) {
	n, err := o.file.Write(p)
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	o.failed = o.failed || err != nil
	return n, err
}

// use has write write the file to its end.
func (o *File) use(write func(io.Writer) error) error {
	if err := write(o); err != nil {
		if !o.failed {
			o.Abort()
			return err
		}
		return o.fail(err)
	}
	return o.Commit()
}

// Commit gives the file its name, or on any error leaves nothing behind.
func (o *File) Commit() error {
	if o.stream {
		o.release()
		return nil
	}
	if err := withRights(o.rights, o.finish); err != nil {
		return o.fail(err)
	}
	o.release()
	return nil
}

// Abort leaves nothing behind.
func (o *File) Abort() {
	if o.stream {
		o.release()
		return
	}
	o.file.Close()
	if !o.unnamed {
		// It fails where the directory is gone too, or somebody else's by now.
		_ = withRights(o.rights, func() error { return o.dir.Remove(o.temporary) })
	}
	o.release()
}

func (o *File) release() {
	switch {
	case o.owned && o.stream:
		o.file.Close()
	case o.owned:
		o.dir.Close()
	}
}

func (o *File) fail(err error) error {
	o.Abort()
	return fmt.Errorf("write %s: %w; %s", o.name, err, outputRemedy(err))
}

func (o *File) finish() error {
	mode := fs.FileMode(0o644)
	if o.replaced != nil {
		mode = o.replaced.Mode().Perm()
	}
	// By descriptor, never by name: the directory may belong to someone else.
	if err := o.file.Chmod(mode); err != nil {
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
	} else if o.rights == nil && o.replaced != nil {
		keepOwner(o.file, o.replaced)
	}
	if err := o.file.Close(); err != nil {
		return err
	}
	return o.place(o.dir, o.temporary, o.base)
}

// appear gives an unnamed file its temporary name.
func (o *File) appear() error {
	if !o.unnamed {
		return nil
	}
	var err error
	o.temporary, err = beside(func(temporary string) error { return nameUnnamed(o.file, o.dir, temporary) })
	o.unnamed = err != nil
	return err
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
