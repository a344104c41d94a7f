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

// pageFlags are what report --html takes.
type pageFlags struct {
	html, recording string
	start, length   time.Duration
	chosen          bool
}

func addPage(cmd *cobra.Command, p *pageFlags) {
	f := cmd.Flags()
	f.StringVar(&p.html, "html", "", "write the report, or two beside each other, as a page to this `FILE`, or - for standard output")
	f.StringVar(&p.recording, "recording", "", "with --html: draw slices of this recording of the run, a `FILE` of run --record")
	f.DurationVar(&p.start, "window-start", 0, "with --recording: draw from this time after the recording's start (default: the middle of the first trial of each kind)")
	f.DurationVar(&p.length, "window-length", timeline.DefaultLength, "with --recording: draw at most this long")
	// The calls fail only for a flag that does not exist.
	_ = cmd.MarkFlagFilename("html", "html")
	_ = cmd.MarkFlagFilename("recording")
}

// check refuses flags that mean nothing together.
func (p *pageFlags) check(cmd *cobra.Command, reports int) error {
	given := cmd.Flags().Changed
	p.chosen = given("window-start")
	switch {
	case p.html == "" && reports > 1:
		return usagef("two reports are shown beside each other by --html FILE")
	case p.html == "" && p.recording != "":
		return usagef("--recording goes with --html FILE")
	case p.recording == "" && (p.chosen || given("window-length")):
		return usagef("--window-start and --window-length go with --recording FILE")
	case p.start < 0 || p.length <= 0:
		return usagef("--window-start must not be negative, and --window-length must be positive")
	case p.html != "" && (given("format") || given("verbose")):
		return usagef("--html writes a page that shows every figure: leave out --format and --verbose")
	}
	return nil
}

// write makes the page of the last of the reports.
func (p *pageFlags) write(s streams, names []string) error {
	inputs := names
	if p.recording != "" {
		inputs = append(slices.Clone(names), p.recording)
	}
	targets, err := openOutputs(s, inputs, asked{"--html", p.html})
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
		both := []compare.Named{{Name: names[0], Report: old}, {Name: names[1], Report: r}}
		options.Comparison, err = compare.Reports(both[:1], [][]compare.Named{both[1:]}, compare.Options{Like: likeBeside(both[:1], both, nil)})
		if err != nil {
			return err
		}
	}
	if p.recording != "" {
		if options.Windows, err = p.windows(names[len(names)-1], r); err != nil {
			return err
		}
	}
	var page bytes.Buffer // whole: a stream cannot be taken back
	if err := render.HTML(&page, r, options); err != nil {
		return err
	}
	return targets[0].Write(func(w io.Writer) error {
		_, err := page.WriteTo(w)
		return err
	})
}

// windows reads what the page shows of the recording, which must be of the report's run.
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

// errOtherRun says that a report and a recording are not of one run.
var errOtherRun = errors.New("the recording is of another run")

// beginsWithin is how long after its report a recording of the same run begins at most.
const beginsWithin = time.Minute

// checkSameRun returns errOtherRun unless the recording is that of the report's run: both
// have the same identity. Those of older versions have none: then their counts are
// compared or, where the recording was cut short and says none, when they began.
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
	// A report's time is in whole seconds.
	if after := header.Created.Sub(r.Created); after < 0 || after > beginsWithin {
		return errOtherRun
	}
	return nil
}
