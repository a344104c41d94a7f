package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/render"
)

// exportRecording exports a recording as a stream. A recording that was cut short, or
// that has more names than are kept, is written as far as possible before the error is
// returned.
func (o *exportOptions) exportRecording(ctx context.Context, s streams, in *input) error {
	write, err := o.recordingFormat()
	if err != nil {
		return err
	}
	r, err := recording.NewReader(in)
	if err != nil {
		return fmt.Errorf("%s: %w", in.file.Name(), err)
	}
	defer r.Close()
	var lack error
	err = o.writeOutput(ctx, s, []string{in.file.Name()}, func(w io.Writer) error {
		err := write(w, r)
		switch {
		case errors.Is(err, recording.ErrCut):
			lack, err = fmt.Errorf("%s: %w: everything before that was written", in.file.Name(), err), nil
		case errors.Is(err, recording.ErrForgotten):
			lack, err = fmt.Errorf("%s: %w: everything else was written", in.file.Name(), err), nil
		}
		return err
	})
	return errors.Join(err, lack)
}

// recordingFormat returns the function that writes a recording in the format asked for.
func (o *exportOptions) recordingFormat() (func(io.Writer, *recording.Reader) error, error) {
	if o.host != "" {
		return nil, usagef("--host names a partition of reports: leave it out for a recording")
	}
	if o.format == exportPerfetto {
		if len(o.tables) > 0 {
			return nil, usagef("--table %s: a Perfetto trace holds the whole recording: leave --table out",
				strings.Join(o.tables, ","))
		}
		return render.Perfetto, nil
	}
	known := render.RecordingTableNames()
	table, err := o.oneTable(known)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(known, table) {
		return nil, usagef("find table %q: a recording's tables are %s", table, strings.Join(known, ", "))
	}
	return func(w io.Writer, r *recording.Reader) error {
		tables := o.tableWriter(w)
		err := render.RecordingTable(tables, r, table)
		if err != nil && !errors.Is(err, recording.ErrCut) && !errors.Is(err, recording.ErrForgotten) {
			return err
		}
		return errors.Join(tables.Close(), err)
	}, nil
}
