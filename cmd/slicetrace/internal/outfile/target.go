//go:build linux

package outfile

import (
	"io"
	"io/fs"
	"os"
)

// Target is the place of an output, which is checked before any work is done.
type Target struct {
	name  string
	owner *Owner
	// stream is the stream to write to, nil for a file.
	stream *os.File
	// info describes what has the name now. If it is nil the name is free, and is base in dir.
	info, dir fs.FileInfo
	base      string
}

// OpenTarget checks a target: it returns the error that Create would return, so that a run
// can fail before it measures. It leaves nothing behind. A stream stays open from here on,
// so that its reader does not see an end before the output.
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

// StreamTarget makes a target of an open stream, which the caller has to close.
func StreamTarget(name string, stream *os.File) (*Target, error) {
	info, err := stream.Stat()
	if err != nil {
		return nil, outputError(name, err)
	}
	return &Target{name: name, stream: stream, info: info}, nil
}

// Stream returns the stream that the output goes to, nil if it goes to a file.
func (t *Target) Stream() *os.File { return t.stream }

// Is reports whether the target is that file, by whatever name or link.
func (t *Target) Is(file fs.FileInfo) bool { return t.info != nil && os.SameFile(t.info, file) }

// Same reports whether two targets are one file. The null device does not count as one.
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

// Write calls write to write the output. A file is written completely or not at all.
func (t *Target) Write(write func(io.Writer) error) error {
	o, err := t.Create()
	if err != nil {
		return err
	}
	return o.use(write)
}

// CheckNew returns the error that WriteNew would return when it opens name, so that a run can
// fail before it measures. It leaves nothing behind.
func CheckNew(name string, owner *Owner) error {
	o, err := createOutput(name, owner, true)
	if err == nil {
		o.Abort()
	}
	return err
}
