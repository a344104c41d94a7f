package main

import (
	"bufio"
	"crypto/rand"
	"fmt"
	"io"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/cmd/slicetrace/internal/outfile"
	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/collector/flight"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/recording"
)

// recordingFile is the file that --record names, nil if the flag is not given.
type recordingFile struct {
	name   string
	id     string
	file   *outfile.File
	buffer *bufio.Writer
	bytes  int64         // written to file
	began  time.Time     // when the file was opened
	cpu    time.Duration // this process's CPU time at began
	failed bool          // a recording that was asked for is missing

	// These are set if a flight recorder takes the place of file.
	flight   *flight.Recorder
	options  *runOptions
	messages io.Writer
}

// newRecordingFile opens the file that --record names. It returns nil for a nil target.
func newRecordingFile(name string, target *outfile.Target) (*recordingFile, error) {
	if target == nil {
		return nil, nil
	}
	file, err := target.Create()
	if err != nil {
		return nil, err
	}
	f := &recordingFile{name: name, id: rand.Text(), file: file, began: time.Now(), cpu: toolCPU()}
	f.buffer = bufio.NewWriterSize(countingWriter{f}, 1<<20)
	return f, nil
}

// countingWriter writes to a recording's file and counts the bytes.
type countingWriter struct{ of *recordingFile }

func (c countingWriter) Write(p []byte) (int, error) {
	n, err := c.of.file.Write(p)
	c.of.bytes += int64(n)
	return n, err
}

// forCollector returns the collector's options for the recording.
func (f *recordingFile) forCollector(host report.Host) *collector.Recording {
	if f == nil {
		return nil
	}
	return &collector.Recording{
		Out:    f.buffer,
		Flight: f.flight,
		Header: recording.Header{ID: f.id, Tool: "slicetrace " + version(), Kernel: host.Kernel},
	}
}

// finish completes the file and adds a summary of it to the report. If that fails, the
// report has a warning and no recording; its own figures are not affected.
func (f *recordingFile) finish(c *collector.Collector, r *report.Report) {
	if f == nil {
		return
	}
	if f.flight != nil {
		f.finishFlight(c, r)
		return
	}
	end, err := c.FinishRecording()
	if err == nil {
		err = f.buffer.Flush()
	}
	if err == nil {
		file := f.file
		f.file = nil
		err = file.Commit()
	}
	if err != nil {
		f.failed = true
		r.Warnings = append(r.Warnings, oneLine(fmt.Errorf("there is no recording %s: %w", f.name, err)))
		return
	}
	r.Recording = &report.Recording{
		ID:       f.id,
		Switches: end.Switches, Wakeups: end.Wakeups, Counted: end.Counted, Lost: end.Lost, LostTasks: end.LostTasks,
		Bytes: f.bytes, ToolCPUNS: (toolCPU() - f.cpu).Nanoseconds(), WallNS: time.Since(f.began).Nanoseconds(),
	}
}

// isMissing reports whether finish could not save what was asked for.
func (f *recordingFile) isMissing() bool { return f != nil && f.failed }

// abort removes the file, unless finish has completed it.
func (f *recordingFile) abort() {
	if f != nil && f.file != nil {
		f.file.Abort()
	}
}

// toolCPU returns the CPU time that this process has used.
func toolCPU() time.Duration {
	var usage unix.Rusage
	// The call fails only for a wrong argument.
	_ = unix.Getrusage(unix.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
