package render

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/table"
)

// TableWriter writes tables of one kind in some format: *CSV or *Parquet.
type TableWriter interface {
	Table(table.Table) error
	Close() error

	begin(name string, columns []table.Column) error
	chunk(columns []table.Column, rows *chunk) error
}

// RecordingTable writes a table of a recording in the order of the file: the events of one core are
// in the order of time, but the cores alternate. If the recording is cut short, it writes
// everything that is complete and returns an error that wraps recording.ErrCut. If names are
// missing, it returns recording.ErrForgotten.
func RecordingTable(out TableWriter, r *recording.Reader, name string) error {
	tables := recordingTables()
	i := slices.IndexFunc(tables, func(t recordingTable) bool { return t.name == name })
	if i < 0 {
		return fmt.Errorf("find table %q: the tables of a recording are %s",
			name, strings.Join(RecordingTableNames(), ", "))
	}
	t := tables[i]
	if err := out.begin(t.name, t.columns); err != nil {
		return fmt.Errorf("write table %s: %w", name, err)
	}
	return pipeline(out, r, t)
}

// pipeline reads in one goroutine and writes in another, which is nearly twice as fast on two
// cores.
func pipeline(out TableWriter, r *recording.Reader, t recordingTable) error {
	filled, empty := make(chan *chunk, 2), make(chan *chunk, 3)
	for range cap(empty) {
		empty <- newChunk(t.columns)
	}
	failed := make(chan struct{})
	var readError error
	go func() {
		defer close(filled)
		f := newFiller(<-empty, func(c *chunk) (*chunk, error) {
			filled <- c
			select {
			case next := <-empty:
				return next, nil
			case <-failed:
				return nil, errStopped
			}
		})
		readError = f.readAll(r, t)
		if !errors.Is(readError, errStopped) {
			filled <- f.chunk
		}
	}()
	var writeError error
	for c := range filled {
		if writeError != nil {
			continue
		}
		if writeError = out.chunk(t.columns, c); writeError != nil {
			close(failed)
		}
		c.reset()
		empty <- c
	}
	if writeError != nil {
		return fmt.Errorf("write table %s: %w", t.name, writeError)
	}
	return readError
}

// errStopped ends reading after writing has failed.
var errStopped = errors.New("stopped")

// readAll converts all frames to rows.
func (f *filler) readAll(r *recording.Reader, t recordingTable) error {
	for {
		frame, err := r.Next()
		if errors.Is(err, io.EOF) {
			return f.names.Err()
		}
		if err != nil {
			return err
		}
		if tasks, ok := frame.([]recording.Task); ok {
			f.names.Learn(tasks)
		}
		if err := t.fill(f, frame); err != nil {
			return err
		}
	}
}
