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

// filesOrSchema checks the arguments: at least one file, or none with --schema.
func (o *exportOptions) filesOrSchema(cmd *cobra.Command, args []string) error {
	if !o.schema {
		return cobra.MinimumNArgs(1)(cmd, args)
	}
	if len(args) > 0 {
		return fmt.Errorf("--schema reads no file, and %q was named", args[0])
	}
	return nil
}

// exportSchema writes the schema of reports or, with --table, of that table.
func (o *exportOptions) exportSchema(ctx context.Context, s streams) error {
	if o.format != exportCSV || o.host != "" {
		return usagef("--schema writes JSON in a format of its own: leave out --format and --host")
	}
	text := report.JSONSchema()
	if len(o.tables) > 0 {
		known := slices.Concat(table.Names(), render.RecordingTableNames())
		name, err := o.oneTable(known)
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
	return o.writeOutput(ctx, s, nil, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}
