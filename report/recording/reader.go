package recording

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/slicetrace/slicetrace/report/sched"
)

// ErrNotRecording means that a file is not a recording.
var ErrNotRecording = errors.New("not a slicetrace recording")

// ErrCut means that a recording ends without its end frame: the tool was killed,
// or the disk was full. All that was read before is complete.
var ErrCut = errors.New("the recording was cut short")

// Frame is one part of a recording: a *Block, []Task, Mark or End.
type Frame any

// Reader reads a recording. It needs memory for one frame at a time.
type Reader struct {
	in      *bufio.Reader
	decoder *zstd.Decoder
	header  Header
	ended   bool
	block   Block
	packed  []byte
	raw     []byte
	tasks   []byte // the part of raw that Next has not returned yet
	births  bool   // tasks have parents
}

// NewReader reads the header of a recording. The error is ErrNotRecording if the file is
// not a recording.
func NewReader(in io.Reader) (*Reader, error) {
	r := &Reader{in: bufio.NewReaderSize(in, 256<<10)}
	start := make([]byte, len(magic))
	n, err := io.ReadFull(r.in, start)
	switch {
	case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return nil, fmt.Errorf("read recording: %w", err)
	case !IsRecording(start[:n]):
		return nil, ErrNotRecording
	case n < len(magic):
		return nil, fmt.Errorf("%w: it has only the first %d bytes", ErrCut, n)
	}
	if start[len(magic)-1] != magic[len(magic)-1] {
		return nil, fmt.Errorf("read recording: format %d is not %d: use the slicetrace that wrote it",
			start[len(magic)-1], magic[len(magic)-1])
	}
	r.decoder, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxFrame))
	if err != nil {
		return nil, fmt.Errorf("read recording: %w", err)
	}
	kind, payload, err := r.frame()
	if err == nil && kind != frameHeader {
		err = fmt.Errorf("the first frame is of type %q and not a header", kind)
	}
	if err == nil {
		err = json.Unmarshal(payload, &r.header)
	}
	if err != nil {
		r.decoder.Close()
		return nil, fmt.Errorf("read recording's header: %w", err)
	}
	return r, nil
}

// IsRecording reports whether a file that begins with start is a recording, of any version.
// It is true for a recording that was cut short within its magic number.
func IsRecording(start []byte) bool {
	name := magic[:min(len(start), len(magic)-1)]
	return len(start) > 0 && string(start[:len(name)]) == name
}

// Header returns the recording's header.
func (r *Reader) Header() Header { return r.header }

// Next returns the next frame. It returns a frame with very many tasks in parts. A *Block
// is valid until the next call. The error is io.EOF after the end frame, ErrCut (wrapped)
// if the file ends without one, and otherwise tells what is wrong with the file.
func (r *Reader) Next() (Frame, error) {
	if r.ended {
		return nil, io.EOF
	}
	if len(r.tasks) > 0 {
		return r.nextTasks()
	}
	kind, payload, err := r.frame()
	if err != nil {
		return nil, fmt.Errorf("read recording: %w", err)
	}
	var f Frame
	switch kind {
	case frameBlock:
		f, err = &r.block, r.unpack(payload, func(raw []byte) error { return decode(raw, &r.block) })
	case frameTasks, frameBirths:
		r.births = kind == frameBirths
		if err = r.unpack(payload, func(raw []byte) error { r.tasks = raw; return nil }); err == nil {
			return r.nextTasks()
		}
	case frameMark:
		var m Mark
		err = json.Unmarshal(payload, &m)
		f = m
	case frameEnd:
		var e End
		err = json.Unmarshal(payload, &e)
		f, r.ended = e, true
	default:
		err = fmt.Errorf("unknown frame type %q", kind)
	}
	if err != nil {
		return nil, fmt.Errorf("read recording: %w", err)
	}
	return f, nil
}

// Close frees the reader's memory. It does not close the file.
func (r *Reader) Close() { r.decoder.Close() }

func (r *Reader) unpack(packed []byte, use func([]byte) error) error {
	raw, err := r.decoder.DecodeAll(packed, r.raw[:0])
	if err != nil {
		return err
	}
	r.raw = raw
	return use(raw)
}

func (r *Reader) frame() (kind byte, payload []byte, err error) {
	kind, err = r.in.ReadByte()
	if err != nil {
		return 0, nil, cut(err)
	}
	length, err := binary.ReadUvarint(r.in)
	if err != nil {
		return 0, nil, cut(err)
	}
	if length > maxFrame {
		return 0, nil, fmt.Errorf("a frame of %d bytes", length)
	}
	// In steps, so that a false length alone does not allocate memory.
	r.packed = r.packed[:0]
	for left := int(length); left > 0; {
		step := min(left, 1<<20)
		start := len(r.packed)
		r.packed = append(r.packed, make([]byte, step)...)
		if _, err := io.ReadFull(r.in, r.packed[start:]); err != nil {
			return 0, nil, cut(err)
		}
		left -= step
	}
	return kind, r.packed, nil
}

func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrCut
	}
	return err
}

// nextTasks returns up to maxTasks of a frame's tasks: a frame of a few bytes can hold
// millions of them when it is decompressed.
func (r *Reader) nextTasks() (Frame, error) {
	in := cursor{rest: r.tasks}
	var tasks []Task
	for len(in.rest) > 0 && !in.bad && len(tasks) < maxTasks {
		t := Task{
			TimeNS: unzigzag(in.uvarint()),
			TID:    sched.TID(int32(unzigzag(in.uvarint()))),
			TGID:   sched.PID(int32(unzigzag(in.uvarint()))),
		}
		if r.births {
			t.Parent = sched.TID(int32(unzigzag(in.uvarint())))
		}
		n := in.uvarint()
		in.bad = in.bad || n > maxComm
		t.Comm = string(in.take(n))
		tasks = append(tasks, t)
	}
	if r.tasks = in.rest; in.bad {
		return nil, fmt.Errorf("read recording: %w", errDamaged)
	}
	return tasks, nil
}
