package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/report"
)

// begin starts a report and says where it goes, or why it could not be measured
// or saved: before any work is done for it.
func (o *runOptions) begin() (r *report.Report, name string, err error) {
	if err := collector.CheckAllowed(); err != nil {
		return nil, "", err
	}
	r = &report.Report{
		Schema:  report.SchemaVersion,
		Tool:    report.Tool{Name: "slicetrace", Version: version()},
		Created: time.Now().UTC().Truncate(time.Second),
		Host:    collector.Fingerprint(),
	}
	name = o.outputName(r.Created)
	return r, name, report.CheckOutput(name, invokingUser().owner())
}

// seal completes a report with what is known only at the end of a run.
func seal(r *report.Report, c *collector.Collector) error {
	var err error
	if r.Capture, err = c.Capture(); err != nil {
		return err
	}
	misses, err := c.RecursionMisses()
	if err != nil {
		return err
	}
	r.Quality.RecursionMisses = misses
	switch floor, err := c.Floor(); {
	case r.Capture.Pick == "" && r.Capture.Switch == "": // no phase, no floor
	case err != nil:
		r.Warnings = append(r.Warnings, "the hook floor is absent: "+oneLine(err))
	default:
		ns := floor.Nanoseconds()
		r.Quality.ProbeFloorNS = &ns
	}
	r.ComputeQuality()
	r.ComputeFindings()
	return nil
}

// deliver saves the report, and only then shows it: a reader that stops
// reading, such as head, must not cost the file. A report that could not be saved
// is shown nevertheless: what was measured is not lost with the file.
func deliver(out, messages *os.File, o *runOptions, name string, r *report.Report) error {
	owner := invokingUser().owner()
	var unsaved error
	if o.output == "" {
		name, unsaved = report.WriteNewFile(name, r, owner)
	} else {
		unsaved = report.WriteFile(name, r, owner)
	}
	if o.quiet {
		return unsaved
	}
	if err := show(out, r, o.format, o.verbose); err != nil || unsaved != nil {
		return errors.Join(unsaved, err)
	}
	fmt.Fprintln(messages, "Saved", name)
	return nil
}
