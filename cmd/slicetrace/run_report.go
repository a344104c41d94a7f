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
)

// begin starts a report and says where it goes, or why it could not be measured
// or saved: before any work is done for it.
func (o *runOptions) begin(s streams) (r *report.Report, name string, err error) {
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

// openOutputs opens what the run is to write, which is called name where nobody chose.
func (o *runOptions) openOutputs(s streams, name string) error {
	targets, err := openOutputs(s, nil, asked{"-o", o.output}, asked{"--record", o.record})
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

// seal completes a report with what is known only at the end of a run. What cannot be
// had takes nothing from what was measured.
func seal(r *report.Report, c *collector.Collector, settings *hostinfo.SettingsWatch) {
	lack := func(what string, err error) { r.Warnings = append(r.Warnings, what+": "+oneLine(err)) }
	var err error
	r.SettingsAtEnd = settings.End()
	if r.Capture, err = c.Capture(); err != nil {
		lack("which hooks gave the figures is not known", err)
	}
	if r.Quality.RecursionMisses, err = c.RecursionMisses(); err != nil {
		lack("how many hook firings the kernel skipped is not known", err)
	}
	if len(r.Setup.Command) > 0 { // bundled workloads have places enough
		r.Quality.MostTasks = c.MostTasks()
	}
	if why := c.SwitchLack(); why != "" {
		r.Warnings = append(r.Warnings, why)
	}
	switch floor, err := c.Floor(); {
	case r.Capture.Pick == "" && r.Capture.Switch == "": // no phase, no floor
	case err != nil:
		lack("the hook floor is absent", err)
	default:
		ns := floor.Nanoseconds()
		r.Quality.ProbeFloorNS = &ns
	}
	r.ComputeQuality()
	findings.Compute(r)
}

// deliver saves the report, and only then shows it: a reader that stops
// reading, such as head, must not cost the file. A report that could not be saved
// is saved elsewhere and shown nevertheless, even quietly if it is nowhere else: what
// was measured is not lost with the file.
func deliver(out, messages *os.File, o *runOptions, name string, r *report.Report) error {
	name, unsaved := o.save(name, r)
	rescued := false
	if unsaved != nil {
		rescued, unsaved = rescue(cmp.Or(name, "report.json"), r, invokingUser().owner(), unsaved)
	}
	if o.quiet && (unsaved == nil || rescued) {
		return unsaved
	}
	out = o.shownOn(out, messages)
	if out == nil {
		return unsaved
	}
	if err := show(out, r, o.format, o.verbose); err != nil || unsaved != nil {
		return errors.Join(unsaved, err)
	}
	// What a program reads ends with the report.
	if name != "" && (o.format == formatText || !sameStream(out, messages)) {
		fmt.Fprintln(messages, "Saved", name)
	}
	return nil
}

// incomplete ends a run whose report lacks what was asked for. Its notes say why, and where
// it is not shown, the error does.
func (o *runOptions) incomplete(r *report.Report) error {
	if !o.quiet {
		return &statusError{status: exitFailed}
	}
	return &statusError{exitFailed, errors.New(strings.Join(r.Warnings, "; "))}
}

// encoded writes a report as its file has it.
func encoded(r *report.Report) func(io.Writer) error {
	return func(w io.Writer) error { return report.Encode(w, r) }
}

// save writes the report, and returns the name of the file, "" where it is none.
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

// shownOn is where the report is shown: elsewhere than what is written for programs,
// and nowhere, nil, where there is no other place.
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
