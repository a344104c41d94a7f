package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/cmd/slicetrace/internal/outfile"
	"github.com/slicetrace/slicetrace/cmd/slicetrace/internal/screen"
	"github.com/slicetrace/slicetrace/report"
)

// topFiles saves what the screen's keys ask for. Its files belong to the user who called sudo.
type topFiles struct {
	mu    sync.Mutex
	names []string
}

func (f *topFiles) add(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.names = append(f.names, name)
}

// saved returns the names of the files so far.
func (f *topFiles) saved() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.names)
}

// topFileName names a file by the present time.
func topFileName(extension string) string {
	return "slicetrace-top-" + time.Now().UTC().Format("20060102T150405Z") + extension
}

// write saves the frame as text, and its interval as a line of JSON as --format jsonl writes it.
func (f *topFiles) write(_ context.Context, shown screen.Shown) (string, error) {
	save := func(extension string, write func(io.Writer) error) (string, error) {
		name, err := outfile.WriteNew(topFileName(extension), invokingUser().owner(), write)
		if err == nil {
			f.add(name)
		}
		return name, err
	}
	text, err := save(".txt", func(w io.Writer) error {
		_, err := io.WriteString(w, shown.Text)
		return err
	})
	if err != nil {
		return "", err
	}
	interval := *shown.Trial
	interval.Why = nil // its stacks are in no trial
	line, err := save(".jsonl", func(w io.Writer) error { return report.EncodeTrial(w, &interval) })
	if err != nil {
		return "", fmt.Errorf("saved %s, but not the interval: %w", text, err)
	}
	return fmt.Sprintf("saved the screen as %s and the interval as %s", text, line), nil
}

// record records every switch of the machine for so long, or until ctx is cancelled. The full tracer
// runs beside the light one meanwhile, so that a switch costs more.
func (f *topFiles) record(ctx context.Context, d time.Duration) (said string, err error) {
	name := topFileName(".rec")
	target, err := outfile.OpenTarget(name, invokingUser().owner())
	if err != nil {
		return "", err
	}
	rf, err := newRecordingFile(name, target)
	if err != nil {
		return "", err
	}
	defer rf.abort()
	var host unix.Utsname
	if err := unix.Uname(&host); err != nil {
		return "", fmt.Errorf("read the kernel's version: %w", err)
	}
	c, err := openBeside(rf, report.Host{Kernel: unix.ByteSliceToString(host.Release[:])}, []string{phaseAll})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
	var r report.Report
	if rf.finish(c, &r); r.Recording == nil {
		return "", errors.New(r.Warnings[0])
	}
	f.add(name)
	said = fmt.Sprintf("recorded %d switches into %s", r.Recording.Switches, name)
	if r.Recording.Lost > 0 {
		said += fmt.Sprintf("; %d events were lost", r.Recording.Lost)
	}
	return said, nil
}
