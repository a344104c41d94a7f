package report

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"

	"github.com/segmentio/encoding/json"
)

// Shelf keeps trials until they are wanted again, in a fifth of the memory that
// they take as they are: measuring itself should hold little. The zero value is
// empty.
type Shelf struct {
	packed [][]byte
	buffer bytes.Buffer
	writer *flate.Writer
}

// Put adds a trial.
func (s *Shelf) Put(t Trial) error {
	text, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("put trial away: %w", err)
	}
	s.buffer.Reset()
	if s.writer == nil {
		s.writer, _ = flate.NewWriter(nil, flate.BestSpeed) // a level that exists
	}
	s.writer.Reset(&s.buffer)
	// Writes into memory do not fail.
	_, _ = s.writer.Write(text)
	_ = s.writer.Close()
	s.packed = append(s.packed, bytes.Clone(s.buffer.Bytes()))
	return nil
}

// Trials returns all trials, in the order in which they were put there.
func (s *Shelf) Trials() ([]Trial, error) {
	trials := make([]Trial, len(s.packed))
	for i, packed := range s.packed {
		text, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed)))
		if err == nil {
			err = json.Unmarshal(text, &trials[i])
		}
		if err != nil {
			return nil, fmt.Errorf("take trial %d back: %w", i, err)
		}
	}
	return trials, nil
}
