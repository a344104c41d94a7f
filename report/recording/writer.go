package recording

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/klauspost/compress/zstd"
)

// magic is at the start of every recording. Its last byte is the version of the format.
const magic = "slicerec\x01"

// The types of frames.
const (
	frameHeader = 'H'
	frameBlock  = 'B'
	frameTasks  = 'T'
	frameBirths = 'C' // tasks with their parents
	frameMark   = 'M'
	frameEnd    = 'E'
)

// Writer writes a recording. Its methods must not be called at the same time.
type Writer struct {
	out     io.Writer
	encoder *zstd.Encoder
	columns columns
	raw     []byte
	packed  []byte
	err     error
}

// NewWriter starts a recording and writes its header.
func NewWriter(out io.Writer, header Header) (*Writer, error) {
	// One goroutine, and the fastest level, since the work of recording is done on the cores
	// that are measured.
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(256<<10), zstd.WithEncoderCRC(true))
	if err != nil {
		return nil, fmt.Errorf("write recording: %w", err)
	}
	w := &Writer{out: out, encoder: encoder}
	if _, err := io.WriteString(out, magic); err != nil {
		return nil, fmt.Errorf("write recording: %w", err)
	}
	return w, w.object(frameHeader, header)
}

// Block writes what one core did. The events must be in the order of time.
func (w *Writer) Block(b Block) error {
	w.raw = w.columns.encode(w.raw[:0], b)
	w.packed = w.encoder.EncodeAll(w.raw, w.packed[:0])
	return w.frame(frameBlock, w.packed)
}

// Tasks writes the names of tasks, in as many frames as necessary.
func (w *Writer) Tasks(tasks []Task) error {
	for some := range slices.Chunk(tasks, maxTasks) {
		buf, kind := w.raw[:0], byte(frameTasks)
		if slices.ContainsFunc(some, func(t Task) bool { return t.Parent != 0 }) {
			kind = frameBirths
		}
		for _, t := range some {
			buf = binary.AppendVarint(buf, t.TimeNS)
			buf = binary.AppendVarint(buf, int64(t.TID))
			buf = binary.AppendVarint(buf, int64(t.TGID))
			if kind == frameBirths {
				buf = binary.AppendVarint(buf, int64(t.Parent))
			}
			comm := t.Comm[:min(len(t.Comm), maxComm)]
			buf = append(binary.AppendUvarint(buf, uint64(len(comm))), comm...)
		}
		w.raw = buf
		w.packed = w.encoder.EncodeAll(w.raw, w.packed[:0])
		if err := w.frame(kind, w.packed); err != nil {
			return err
		}
	}
	return nil
}

// Frames writes frames as another Writer has encoded them. After an error nothing more is written.
func (w *Writer) Frames(encoded []byte) error {
	if w.err != nil {
		return w.err
	}
	if _, err := w.out.Write(encoded); err != nil {
		w.err = fmt.Errorf("write recording: %w", err)
	}
	return w.err
}

// Mark writes when a trial ran.
func (w *Writer) Mark(m Mark) error { return w.object(frameMark, m) }

// Close writes the end of the recording. It does not close the file.
func (w *Writer) Close(e End) error {
	if err := w.object(frameEnd, e); err != nil {
		return err
	}
	return w.encoder.Close()
}

func (w *Writer) object(kind byte, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write recording: %w", err)
	}
	return w.frame(kind, text)
}

// frame writes one frame.
func (w *Writer) frame(kind byte, payload []byte) error {
	var head [1 + binary.MaxVarintLen64]byte
	head[0] = kind
	n := 1 + binary.PutUvarint(head[1:], uint64(len(payload)))
	if err := w.Frames(head[:n]); err != nil {
		return err
	}
	return w.Frames(payload)
}
