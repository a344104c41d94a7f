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

// seal completes a report with what is known only at the end of a run. What cannot be
// had takes nothing from what was measured.
func seal(r *report.Report, c *collector.Collector) {
	lack := func(what string, err error) { r.Warnings = append(r.Warnings, what+": "+oneLine(err)) }
	var err error
	if r.Capture, err = c.Capture(); err != nil {
		lack("which hooks gave the figures is not known", err)
	}
	if r.Quality.RecursionMisses, err = c.RecursionMisses(); err != nil {
		lack("how many hook firings the kernel skipped is not known", err)
	}
	if len(r.Setup.Command) > 0 { // bundled workloads have places enough
		r.Quality.MostTasks = c.MostTasks()
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
	r.ComputeFindings()
}

// deliver saves the report, and only then shows it: a reader that stops
// reading, such as head, must not cost the file. A report that could not be saved
// is saved elsewhere and shown nevertheless, even quietly if it is nowhere else: what
// was measured is not lost with the file.
func deliver(out, messages *os.File, o *runOptions, name string, r *report.Report) error {
	owner := invokingUser().owner()
	var unsaved error
	if o.output == "" {
		name, unsaved = report.WriteNewFile(name, r, owner)
	} else {
		unsaved = report.WriteFile(name, r, owner)
	}
	rescued := false
	if unsaved != nil {
		rescued, unsaved = rescue(name, r, owner, unsaved)
	}
	if o.quiet && (unsaved == nil || rescued) {
		return unsaved
	}
	if err := show(out, r, o.format, o.verbose); err != nil || unsaved != nil {
		return errors.Join(unsaved, err)
	}
	fmt.Fprintln(messages, "Saved", name)
	return nil
}
