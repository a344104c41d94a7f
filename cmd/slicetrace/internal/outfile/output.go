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

// Owner is the user and group that a file is to belong to, and with whose rights root
// writes it. Groups are the user's supplementary groups.
type Owner struct {
	UID, GID int
	Groups   []int
}

// Write creates the file name with what write writes, complete or not at all. The content
// goes to a temporary file in the same folder, which is synced and renamed; after an error
// neither the temporary file nor a changed file is left. If the file system can do it, the
// temporary file has no name until it is complete, so that not even SIGKILL leaves it
// behind. A new file has mode 0644. A file that is replaced keeps its mode, and a file that
// nobody may write to is not replaced.
//
// A symbolic link, anywhere in the name, is followed only if root, this process's user or
// the owner made it: root must not be led anywhere by a link that another user planted.
// Pipes and character devices are written to directly. Anything else, such as a disk, is an
// error.
//
// If owner is not nil, root writes with the owner's rights, and the file belongs to the
// owner. If those rights do not suffice and the folder is root's own, root writes with its
// own rights, as "sudo ... -o /etc/x" asks for, and still gives the file to the owner. A
// third user's folder is an error.
func Write(name string, owner *Owner, write func(io.Writer) error) error {
	o, err := Create(name, owner)
	if err != nil {
		return err
	}
	return o.use(write)
}

// WriteNew is Write for a name that the user did not choose. If the name is taken, it uses
// the first free one of name-2, name-3 and so on. It returns the name of the file.
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

// placeNew moves a file to a new name. If that name is taken, it fails with ErrExist.
func placeNew(dir *os.Root, temporary, final string) error {
	err := dir.Link(temporary, final)
	if err == nil {
		return dir.Remove(temporary)
	}
	if errors.Is(err, fs.ErrExist) {
		return err
	}
	// The file system has no hard links: reserve the name by creating it.
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

// writeIn writes a file in dir, which is the folder of name, and gives it to owner if owner
// is not nil.
func writeIn(dir *os.Root, name string, owner *Owner, write func(io.Writer) error) error {
	o, err := (&place{dir: dir, base: filepath.Base(name)}).createFile(name)
	if err != nil {
		return err
	}
	o.owner = owner
	return o.use(write)
}

// File is an output: a temporary file that gets its name only when it is complete, or a
// stream that is written to directly.
type File struct {
	file *os.File
	// stream is whether the output is a stream, which has no folder and is not renamed.
	stream bool
	dir    *os.Root
	// owned is whether the output has to close the stream or the folder.
	owned           bool
	name            string // as the caller gave it
	base, temporary string // names in dir
	// unnamed is whether the file has no temporary name yet.
	unnamed bool
	// replaced is the file that has the name now, nil if there is none.
	replaced fs.FileInfo
	// rights is the user with whose rights the file is written, nil for the process's own.
	// owner is the user whom it is given to, nil for none.
	rights, owner *Owner
	place         placeFunc
	// failed is whether writing to the file failed, rather than producing its content.
	failed bool
}

// Create begins a file as Write describes it. Commit or Abort ends it.
func Create(name string, owner *Owner) (*File, error) {
	return createOutput(name, owner, false)
}

// createOutput begins a file. If fresh, its final name must be new.
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

// withEither calls create with the owner's rights. If those do not suffice and the folder is
// root's own, it calls create again with root's rights. It returns the user whose rights
// were used, nil for root's.
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

// rootsAlone reports whether the folder that name leads to belongs to root.
func rootsAlone(name string, owner *Owner) bool {
	p, err := findPlace(name, owner)
	if err != nil {
		return false
	}
	defer p.close()
	return p.dir != nil && p.device == "" && isRoots(p.dir)
}

// createIn begins a file in dir, which the caller has to close.
func createIn(dir *os.Root, name, base string, replaced fs.FileInfo) (*File, error) {
	if f, err := createUnnamed(dir, name); err == nil {
		return &File{
			file: f, dir: dir, name: name, base: base, unnamed: true, replaced: replaced, place: (*os.Root).Rename,
		}, nil
	}
	return createNamed(dir, name, base, replaced)
}

// createNamed begins a file on a file system that has no files without names.
func createNamed(dir *os.Root, name, base string, replaced fs.FileInfo) (*File, error) {
	o := &File{dir: dir, name: name, base: base, replaced: replaced, place: (*os.Root).Rename}
	var err error
	o.temporary, err = newTemporary(func(temporary string) (err error) {
		o.file, err = dir.OpenFile(temporary, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		return err
	})
	if err != nil {
		return nil, outputError(name, err)
	}
	return o, nil
}

// Write appends to the file, without buffering. Its error does not name the temporary file,
// which would mean nothing to a user.
func (o *File) Write(p []byte) (int, error) {
	n, err := o.file.Write(p)
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	o.failed = o.failed || err != nil
	return n, err
}

// use calls write to write the whole file, and commits it.
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

// Commit gives the file its name. After an error nothing is left behind.
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

// Abort discards the file.
func (o *File) Abort() {
	if o.stream {
		o.release()
		return
	}
	o.file.Close()
	if !o.unnamed {
		// It fails if the folder was removed or given to another user meanwhile.
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
	// By descriptor, never by name: the folder may belong to another user.
	if err := o.file.Chmod(mode); err != nil {
		return err
	}
	if err := o.file.Sync(); err != nil {
		return err
	}
	// Before it is given away: without all its capabilities, root may not link other users' files.
	if err := o.linkTemporary(); err != nil {
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

// linkTemporary gives an unnamed file its temporary name.
func (o *File) linkTemporary() error {
	if !o.unnamed {
		return nil
	}
	var err error
	o.temporary, err = newTemporary(func(temporary string) error { return nameUnnamed(o.file, o.dir, temporary) })
	o.unnamed = err != nil
	return err
}

// newTemporary calls create with temporary names until one is free, and returns that name.
func newTemporary(create func(temporary string) error) (temporary string, err error) {
	for range 100 {
		temporary = fmt.Sprintf(".slicetrace-%08x.tmp", rand.Uint32())
		if err = create(temporary); !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	return temporary, err
}
