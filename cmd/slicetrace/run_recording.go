package main

import (
	"bufio"
	"crypto/rand"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/cmd/slicetrace/internal/outfile"
	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/recording"
)

// recordingFile is the file of --record, nil without one.
type recordingFile struct {
	name   string
	id     string
	file   *outfile.File
	buffer *bufio.Writer
	bytes  int64
	began  time.Time
	cpu    time.Duration
}

// newRecordingFile begins the file of --record, nil if none is asked for.
func newRecordingFile(name string, target *outfile.Target) (*recordingFile, error) {
	if target == nil {
		return nil, nil
	}
	file, err := target.Create()
	if err != nil {
		return nil, err
	}
	t := &recordingFile{name: name, id: rand.Text(), file: file, began: time.Now(), cpu: toolCPU()}
	t.buffer = bufio.NewWriterSize(counting{t}, 1<<20)
	return t, nil
}

// counting writes to a recording's file.
type counting struct{ of *recordingFile }

func (c counting) Write(p []byte) (int, error) {
	n, err := c.of.file.Write(p)
	c.of.bytes += int64(n)
	return n, err
}

// options are the collector's.
func (t *recordingFile) options(host report.Host) *collector.Recording {
	if t == nil {
		return nil
	}
	return &collector.Recording{Out: t.buffer, Header: recording.Header{ID: t.id, Tool: "slicetrace " + version(), Kernel: host.Kernel}}
}

// finish completes the file and notes in the report what it holds. If that fails
// the report says so, and has no recording: what was counted is not lost with it.
func (t *recordingFile) finish(c *collector.Collector, r *report.Report) {
	if t == nil {
		return
	}
	end, err := c.FinishRecording()
	if err == nil {
		err = t.buffer.Flush()
	}
	if err == nil {
		file := t.file
		t.file = nil
		err = file.Commit()
	}
	if err != nil {
		r.Warnings = append(r.Warnings, oneLine(fmt.Errorf("there is no recording %s: %w", t.name, err)))
		return
	}
	r.Recording = &report.Recording{
		ID:       t.id,
		Switches: end.Switches, Wakeups: end.Wakeups, Counted: end.Counted, Lost: end.Lost, LostTasks: end.LostTasks,
		Bytes: t.bytes, ToolCPUNS: (toolCPU() - t.cpu).Nanoseconds(), WallNS: time.Since(t.began).Nanoseconds(),
	}
}

// abort leaves no file behind, unless finish has been called.
func (t *recordingFile) abort() {
	if t != nil && t.file != nil {
		t.file.Abort()
	}
}

// toolCPU is the processor time that this process has used.
func toolCPU() time.Duration {
	var usage unix.Rusage
	// It fails only for a wrong argument.
	_ = unix.Getrusage(unix.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
