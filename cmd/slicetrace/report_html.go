package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/compare"
	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/render"
	"github.com/slicetrace/slicetrace/report/timeline"
)

// pageFlags are the flags for report --html.
type pageFlags struct {
	html, recording string
	start, length   time.Duration
	chosen          bool
}

func addPage(cmd *cobra.Command, p *pageFlags) {
	f := cmd.Flags()
	f.StringVar(&p.html, "html", "",
		"write the report, or two beside each other, as a page to this `FILE`, or - for standard output")
	f.StringVar(&p.recording, "recording", "",
		"with --html: draw slices of this recording of the run, a `FILE` of run --record")
	f.DurationVar(&p.start, "window-start", 0, "with --recording: draw from this time after the recording's start "+
		"(default: the middle of the first trial of each kind)")
	f.DurationVar(&p.length, "window-length", timeline.DefaultLength, "with --recording: draw at most this long")
	// The calls fail only for a flag that does not exist.
	_ = cmd.MarkFlagFilename("html", "html")
	_ = cmd.MarkFlagFilename("recording")
}

// check rejects flags that mean nothing together.
func (p *pageFlags) check(cmd *cobra.Command, reports int) error {
	given := cmd.Flags().Changed
	p.chosen = given("window-start")
	switch {
	case p.html == "" && reports > 1:
		return usagef("two reports can only be shown with --html FILE; slicetrace compare shows what changed")
	case p.html == "" && p.recording != "":
		return usagef("--recording needs --html FILE")
	case p.recording == "" && (p.chosen || given("window-length")):
		return usagef("--window-start and --window-length need --recording FILE")
	case p.start < 0 || p.length <= 0:
		return usagef("--window-start must not be negative, and --window-length must be positive")
	case p.html != "" && (given("format") || given("verbose") || given("prices")):
		return usagef("--html writes a page that shows every figure: leave out --format, --verbose and --prices")
	}
	return nil
}

// write makes the page of the last report named, compared with the first if there are two.
func (p *pageFlags) write(s streams, names []string) error {
	inputs := names
	if p.recording != "" {
		inputs = append(slices.Clone(names), p.recording)
	}
	targets, err := openOutputs(s, inputs, outputFlag{"--html", p.html})
	if err != nil {
		return err
	}
	r, err := readReport(names[len(names)-1])
	if err != nil {
		return err
	}
	var options render.PageOptions
	if len(names) > 1 {
		old, err := readReport(names[0])
		if err != nil {
			return err
		}
		both := []compare.Input{{Name: names[0], Report: old}, {Name: names[1], Report: r}}
		like := compare.Options{Like: likeBeside(both[:1], both, nil)}
		options.Comparison, err = compare.Reports(both[:1], [][]compare.Input{both[1:]}, like)
		if err != nil {
			return err
		}
	}
	if p.recording != "" {
		if options.Windows, err = p.windows(names[len(names)-1], r); err != nil {
			return err
		}
	}
	var page bytes.Buffer // complete before it is written: a stream cannot be taken back
	if err := render.HTML(&page, r, options); err != nil {
		return err
	}
	return targets[0].Write(func(w io.Writer) error {
		_, err := page.WriteTo(w)
		return err
	})
}

// windows reads the parts of the recording that the page shows. The recording must be of
// the report's run.
func (p *pageFlags) windows(name string, r *report.Report) ([]timeline.Window, error) {
	f, err := os.Open(p.recording)
	if err != nil {
		return nil, fmt.Errorf("open recording: %w", err)
	}
	defer f.Close()
	windows, err := timeline.Read(f, timeline.Options{
		Chosen: p.chosen, Start: p.start, Length: p.length,
		Accept: func(header recording.Header, end *recording.End) error {
			err := checkSameRun(r, header, end)
			switch {
			case err != nil && r.Recording == nil:
				return fmt.Errorf("%w than %s's, which made none: leave out --recording", err, name)
			case err != nil:
				return fmt.Errorf("%w than %s's: give the one that run --record made with it", err, name)
			}
			return nil
		},
	})
	if errors.Is(err, timeline.ErrNoWindow) && p.chosen {
		err = fmt.Errorf("%w; choose another --window-start", err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.recording, err)
	}
	return windows, nil
}

// errOtherRun is the error for a report and a recording of different runs.
var errOtherRun = errors.New("the recording is of another run")

// beginsWithin is the longest time from a report's creation to the start of the recording
// of the same run.
const beginsWithin = time.Minute

// checkSameRun returns errOtherRun unless the recording has the identity that the report
// names. Files of older versions have no identity: then the counts are compared or, if the
// recording was cut short and has none, the times at which they began.
func checkSameRun(r *report.Report, header recording.Header, end *recording.End) error {
	told := r.Recording
	switch {
	case told == nil || told.ID != header.ID:
		return errOtherRun
	case told.ID != "":
		return nil
	case end != nil:
		counts := recording.End{
			Switches: told.Switches, Wakeups: told.Wakeups, Counted: told.Counted,
			Lost: told.Lost, LostTasks: told.LostTasks,
		}
		if counts != *end {
			return errOtherRun
		}
		return nil
	}
	// A report's time is rounded down to whole seconds.
	if after := header.Created.Sub(r.Created); after < 0 || after > beginsWithin {
		return errOtherRun
	}
	return nil
}
