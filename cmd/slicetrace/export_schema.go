package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/render"
	"github.com/slicetrace/slicetrace/report/table"
)

// filesOrSchema wants files, but none with --schema, which reads none.
func (o *exportOptions) filesOrSchema(cmd *cobra.Command, args []string) error {
	if !o.schema {
		return cobra.MinimumNArgs(1)(cmd, args)
	}
	if len(args) > 0 {
		return fmt.Errorf("--schema reads no file, and %q was named", args[0])
	}
	return nil
}

// exportSchema writes the schema of reports, or of the one table named.
func (o *exportOptions) exportSchema(ctx context.Context, s streams) error {
	if o.format != exportCSV || o.host != "" {
		return usagef("--schema writes JSON of its own: use it without --format and --host")
	}
	text := report.JSONSchema()
	if len(o.tables) > 0 {
		known := slices.Concat(table.Names(), render.RecordingTableNames())
		name, err := o.one(known)
		if err != nil {
			return err
		}
		columns, ok := render.RecordingColumns(name)
		if !ok {
			tab, err := table.Of(new(report.Report), name)
			if err != nil {
				return &statusError{exitUsage, err}
			}
			columns = tab.Columns
		}
		text = table.Schema(name, columns)
	}
	return o.deliver(ctx, s, nil, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}
