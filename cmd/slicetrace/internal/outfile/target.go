//go:build linux

package outfile

import (
	"io"
	"io/fs"
	"os"
)

// Target is where an output is to go, looked at before anything is done for it.
type Target struct {
	name  string
	owner *Owner
	// stream is what is written to as it is, nil for a file.
	stream *os.File
	// info is what has the name, nil for nothing: then base in dir.
	info, dir fs.FileInfo
	base      string
}

// OpenTarget returns the error that Create would meet, so that a run can fail
// before it measures, and leaves nothing behind. A stream stays open as long as the
// target is in use: its reader is to see one end of it only.
func OpenTarget(name string, owner *Owner) (*Target, error) {
	t := &Target{name: name, owner: owner}
	_, err := withEither(name, owner, func() error { return t.open() })
	return t, err
}

func (t *Target) open() error {
	p, err := findPlace(t.name, t.owner)
	if err != nil {
		return outputError(t.name, err)
	}
	if t.stream, err = p.open(); err != nil || t.stream != nil {
		defer p.close()
		if err == nil {
			t.info, err = t.stream.Stat()
		}
		if err != nil {
			return outputError(t.name, err)
		}
		return nil
	}
	t.info, t.base = p.info, p.base
	if t.dir, err = p.dir.Stat("."); err != nil {
		p.close()
		return outputError(t.name, err)
	}
	o, err := p.create(t.name)
	if err != nil {
		return err
	}
	o.Abort()
	return nil
}

// StreamTarget is an open stream as a target. The stream stays the caller's to close.
func StreamTarget(name string, stream *os.File) (*Target, error) {
	info, err := stream.Stat()
	if err != nil {
		return nil, outputError(name, err)
	}
	return &Target{name: name, stream: stream, info: info}, nil
}

// Stream is what the output goes to as it comes, nil if it goes to a file.
func (t *Target) Stream() *os.File { return t.stream }

// Is reports whether the target is a file, whatever its name: also through links.
func (t *Target) Is(file fs.FileInfo) bool { return t.info != nil && os.SameFile(t.info, file) }

// Same reports whether two targets are one file. Both may be the null device.
func (t *Target) Same(other *Target) bool {
	if t.info != nil {
		null, err := os.Stat(os.DevNull)
		return other.Is(t.info) && !(err == nil && t.Is(null))
	}
	return other.info == nil && t.base == other.base && os.SameFile(t.dir, other.dir)
}

// Create begins the output.
func (t *Target) Create() (*File, error) {
	if t.stream != nil {
		return &File{file: t.stream, stream: true, name: t.name}, nil
	}
	return Create(t.name, t.owner)
}

// Write has write write the output, whole or not at all where it is a file.
func (t *Target) Write(write func(io.Writer) error) error {
	o, err := t.Create()
	if err != nil {
		return err
	}
	return o.use(write)
}

// CheckNew returns the error that WriteNew would meet when it opens name, so that
// a run can fail before it measures. It leaves nothing behind.
func CheckNew(name string, owner *Owner) error {
	o, err := createOutput(name, owner, true)
	if err == nil {
		o.Abort()
	}
	return err
}
