package main

import (
	"context"
	"io"
	"strings"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/profile"
)

// stackFormat returns the function that writes stacks in the format asked for, nil if that is none of stacks.
func (o *exportOptions) stackFormat() func(io.Writer, *report.Report) error {
	switch o.format {
	case exportPprof:
		return profile.Pprof
	case exportFolded:
		return profile.Folded
	}
	return nil
}

// exportStacks writes the stacks of one report.
func (o *exportOptions) exportStacks(
	ctx context.Context, s streams, in *input, names []string, write func(io.Writer, *report.Report) error,
) error {
	switch {
	case len(o.tables) > 0:
		return usagef("--table %s: --format %s writes stacks, which are in no table: leave --table out",
			strings.Join(o.tables, ","), o.format)
	case len(names) > 1:
		return usagef("--format %s is of one report, and %d files were named: export them one by one",
			o.format, len(names))
	case in.recording:
		return usagef("--format %s needs a report, and %s is a recording, which has no stacks: "+
			"slicetrace run --why takes them", o.format, names[0])
	}
	if err := o.noHost(); err != nil {
		return err
	}
	r, err := in.report()
	if err != nil {
		return err
	}
	if !profile.In(r) {
		return usagef("--format %s needs stacks, and %s has none: slicetrace run --why takes them", o.format, names[0])
	}
	return o.writeOutput(ctx, s, names, func(w io.Writer) error { return write(w, r) })
}
