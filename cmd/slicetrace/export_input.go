package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/recording"
)

// input is an open file: a recording, or what should be a report.
type input struct {
	io.Reader
	file      *os.File
	recording bool
}

// openInput opens a file and looks at its beginning. It reads it only once, so
// that it may be a pipe.
func openInput(name string) (*input, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open report: %w", err)
	}
	buffered := bufio.NewReader(f)
	// If the file cannot be read, the next read reports the error.
	start, err := buffered.Peek(16)
	if len(start) == 0 && errors.Is(err, io.EOF) {
		f.Close()
		return nil, fmt.Errorf("%s: the file is empty, neither a report nor a recording: "+
			"see that what wrote it has ended well", name)
	}
	return &input{buffered, f, recording.IsRecording(start)}, nil
}

func (in *input) Close() error { return in.file.Close() }

// report reads the rest as a report.
func (in *input) report() (*report.Report, error) {
	r, err := report.Decode(in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", in.file.Name(), err)
	}
	return withFindings(r), nil
}

// noRecordings refuses recordings among the files, before anything is written.
func noRecordings(names []string) error {
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			return fmt.Errorf("open report: %w", err)
		}
		if !info.Mode().IsRegular() {
			continue // a pipe can be read once only
		}
		in, err := openInput(name)
		if err != nil {
			return err
		}
		in.Close()
		if in.recording && len(names) > 1 {
			return usagef("%s is a recording: export one recording at a time, and reports without one", name)
		}
	}
	return nil
}
