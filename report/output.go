package report

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Owner is the user and group that a file shall belong to.
type Owner struct {
	UID, GID int
}

// WriteFile saves the report under name with mode 0644, whole or not at all:
// it writes beside, syncs and renames, and on any error leaves neither a
// temporary file nor a changed name. owner, if not nil, is given the file. A
// name that is a symbolic link, a device or anything else but a regular file
// is refused, so that root neither follows a planted link nor replaces a device.
func WriteFile(name string, r *Report, owner *Owner) error {
	return writeFile(name, owner, func(w io.Writer) error { return Encode(w, r) }, os.Rename)
}

// WriteNewFile is WriteFile for a name that nobody chose: where there is such a
// file it takes the next free one of name-2, name-3 and so on, and returns it.
func WriteNewFile(name string, r *Report, owner *Owner) (string, error) {
	final := name
	place := func(temporary, name string) error {
		extension := filepath.Ext(name)
		for n := 2; ; n++ {
			switch err := os.Link(temporary, final); {
			case err == nil:
				return os.Remove(temporary)
			case !errors.Is(err, fs.ErrExist):
				return os.Rename(temporary, final) // a file system without links
			}
			final = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(name, extension), n, extension)
		}
	}
	err := writeFile(name, owner, func(w io.Writer) error { return Encode(w, r) }, place)
	return final, err
}

// WriteText saves what a renderer made of a report as WriteFile saves the report.
func WriteText(name string, text []byte, owner *Owner) error {
	return writeFile(name, owner, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	}, os.Rename)
}

// writeFile has place move the whole file from its temporary name to its own.
func writeFile(name string, owner *Owner, write func(io.Writer) error, place func(temporary, name string) error) error {
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

// Output is a file that is written beside its name, and has it only when whole.
type Output struct {
	file  *os.File
	name  string
	owner *Owner
	place func(temporary, name string) error
}

// CreateOutput begins a file as WriteFile describes it. Commit or Abort ends it.
func CreateOutput(name string, owner *Owner) (*Output, error) {
	f, err := createBeside(name)
	if err != nil {
		return nil, err
	}
	return &Output{file: f, name: name, owner: owner, place: os.Rename}, nil
}

// Write adds to the file. It is not buffered.
func (o *Output) Write(p []byte) (int, error) { return o.file.Write(p) }

// Commit gives the file its name, or on any error leaves nothing behind.
func (o *Output) Commit() error {
	if err := o.finish(); err != nil {
		return o.fail(err)
	}
	return nil
}

// Abort leaves nothing behind.
func (o *Output) Abort() {
	o.file.Close()
	os.Remove(o.file.Name())
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
	if o.owner != nil {
		if err := o.file.Chown(o.owner.UID, o.owner.GID); err != nil {
			return err
		}
	}
	if err := o.file.Sync(); err != nil {
		return err
	}
	if err := o.file.Close(); err != nil {
		return err
	}
	return o.place(o.file.Name(), o.name)
}

// CheckOutput returns the error that WriteFile would meet when it opens name,
// so that a run can fail before it measures. It leaves nothing behind.
func CheckOutput(name string) error {
	f, err := createBeside(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// createBeside opens a new temporary file in the directory of name.
func createBeside(name string) (*os.File, error) {
	switch info, err := os.Lstat(name); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("open output: %w; choose another place with -o", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("open output %s: not a regular file (%s); choose another name with -o", name, info.Mode().Type())
	}
	if base := filepath.Base(name); name == "" || os.IsPathSeparator(name[len(name)-1]) || base == "." {
		return nil, fmt.Errorf("open output %q: no file name; choose one with -o", name)
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".slicetrace-*.tmp")
	if err != nil {
		var path *fs.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		return nil, fmt.Errorf("open output %s: %w; choose another place with -o", name, err)
	}
	return f, nil
}
