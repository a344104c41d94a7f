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

// input is an open file: a recording or, presumably, a report.
type input struct {
	io.Reader
	file      *os.File
	recording bool
}

// openInput opens a file and looks at its first bytes. The file is read only once, so it
// may be a pipe.
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
			"check that the program that wrote it did not fail", name)
	}
	return &input{buffered, f, recording.IsRecording(start)}, nil
}

func (in *input) Close() error { return in.file.Close() }

// report reads the file as a report.
func (in *input) report() (*report.Report, error) {
	r, err := report.Decode(in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", in.file.Name(), err)
	}
	return withFindings(r), nil
}

// noRecordings rejects several files with a recording among them, before anything is
// written.
func noRecordings(names []string) error {
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			return fmt.Errorf("open report: %w", err)
		}
		if !info.Mode().IsRegular() {
			continue // a pipe can be read only once
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
