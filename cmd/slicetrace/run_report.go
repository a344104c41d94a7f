package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/slicetrace/slicetrace/cmd/slicetrace/internal/outfile"
	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/collector/hostinfo"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/findings"
	"github.com/slicetrace/slicetrace/report/render"
	"github.com/slicetrace/slicetrace/report/view"
)

// startReport returns a report to be filled and the name of its file. If the run could
// not be measured or saved, it returns an error before any work is done.
func (o *runOptions) startReport(s streams) (r *report.Report, name string, err error) {
	if err := collector.CheckAllowed(); err != nil {
		return nil, "", err
	}
	r = &report.Report{
		Schema:  report.SchemaVersion,
		Tool:    report.Tool{Name: "slicetrace", Version: version()},
		Created: time.Now().UTC().Truncate(time.Second),
		Host:    hostinfo.Fingerprint(),
	}
	name = o.outputName(r.Created)
	return r, name, o.openOutputs(s, name)
}

// openOutputs opens the files that the run will write. The report's is called name if the
// user gave none.
func (o *runOptions) openOutputs(s streams, name string) error {
	targets, err := openOutputs(s, nil, outputFlag{"-o", o.output}, outputFlag{"--record", o.record})
	if err != nil {
		return err
	}
	o.saved, o.recorded = targets[0], targets[1]
	if o.recorded != nil {
		if err := notForATerminal("a recording", o.recorded.Stream()); err != nil {
			return err
		}
	}
	if o.saved == nil {
		return outfile.CheckNew(name, invokingUser().owner())
	}
	return nil
}

// finishReport completes a report with what is known only at the end of a run. What cannot
// be read becomes a warning, and does not affect what was measured.
func finishReport(r *report.Report, c *collector.Collector, settings *hostinfo.SettingsWatch) {
	warn := func(what string, err error) { r.Warnings = append(r.Warnings, what+": "+oneLine(err)) }
	var err error
	r.SettingsAtEnd = settings.End()
	if r.Capture, err = c.Capture(); err != nil {
		warn("which hooks gave the figures is not known", err)
	}
	if r.Quality.RecursionMisses, err = c.RecursionMisses(); err != nil {
		warn("how many calls of hooks the kernel skipped is not known", err)
	}
	if r.Setup.RunsCommands() { // for bundled workloads there is always room
		r.Quality.MostTasks = c.MostTasks()
	}
	if why := c.SwitchedOff(); why != "" {
		r.Warnings = append(r.Warnings, why)
	}
	r.Stacks, r.Frames = c.Stacks()
	r.KeepUsedStacks()
	floors := c.Floors()
	for _, f := range floors {
		ns := f.Median.Nanoseconds()
		switch {
		case f.Err != nil:
			warn("the hook floor is absent", f.Err)
		case f.Switch || len(floors) == 1:
			r.Quality.ProbeFloorNS = &ns
		default:
			r.Quality.PickFloorNS = &ns
		}
	}
	r.ComputeQuality()
	findings.Compute(r)
}

// saveAndShow saves the report and then shows it, so that a reader that stops reading, such
// as head, does not prevent the saving. A report that cannot be saved under its name is
// saved among temporary files. If that fails too, it is shown even with --quiet, so that
// what was measured is not lost. saved is called between saving and showing, if it was saved.
func saveAndShow(
	out, messages *os.File, o *runOptions, name string, r *report.Report, saved func(),
) error {
	name, unsaved := o.save(name, r)
	rescued := false
	if unsaved != nil {
		rescued, unsaved = rescue(cmp.Or(name, "report.json"), r, invokingUser().owner(), unsaved)
	}
	if unsaved == nil || rescued {
		saved()
		if o.quiet {
			return unsaved
		}
	}
	out = o.shownOn(out, messages)
	if out == nil {
		return unsaved
	}
	if err := show(out, r, o.format, o.verbose, o.prices); err != nil || unsaved != nil {
		return errors.Join(unsaved, err)
	}
	if o.format == formatText && view.Detail(o.verbose) == view.Brief {
		for _, note := range view.HiddenNotes(r) {
			fmt.Fprintf(messages, "Note: %s\n", render.Printable(note))
		}
	}
	// A stream that a program reads must hold nothing but the report.
	if name != "" && (o.format == formatText || !sameStream(out, messages)) {
		fmt.Fprintln(messages, "Saved", name)
	}
	return nil
}

// incomplete returns the error for a run whose report lacks something that was asked for.
// The report's warnings name the reason; under --quiet, where they are not shown, the error
// does.
func (o *runOptions) incomplete(r *report.Report) error { return o.endedWith(r, exitFailed) }

// endedWith is incomplete with an exit status.
func (o *runOptions) endedWith(r *report.Report, status int) error {
	if !o.quiet {
		return &statusError{status: status}
	}
	return &statusError{status, errors.New(strings.Join(r.Warnings, "; "))}
}

// encoded returns a function that writes a report in the format of its file.
func encoded(r *report.Report) func(io.Writer) error {
	return func(w io.Writer) error { return report.Encode(w, r) }
}

// save writes the report and returns the name of its file, "" if it went to a stream.
func (o *runOptions) save(name string, r *report.Report) (string, error) {
	if o.saved == nil {
		return outfile.WriteNew(name, invokingUser().owner(), encoded(r))
	}
	err := o.saved.Write(encoded(r))
	if o.saved.Stream() != nil {
		name = ""
	}
	return name, err
}

// shownOn returns the stream on which the report is shown: one that does not carry the
// saved report or the recording, nil if both streams do.
func (o *runOptions) shownOn(out, messages *os.File) *os.File {
	for _, place := range []*os.File{out, messages} {
		info, err := place.Stat()
		taken := func(t *outfile.Target) bool { return t != nil && t.Stream() != nil && err == nil && t.Is(info) }
		if !taken(o.saved) && !taken(o.recorded) {
			return place
		}
	}
	return nil
}
