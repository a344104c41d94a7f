package main

import (
	"bytes"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/render"
)

func newExport(s streams) *cobra.Command {
	var table, output, format string
	names := strings.Join(report.TableNames(), ", ")
	cmd := &cobra.Command{
		Use:   "export REPORT --table NAME",
		Short: "Write a report's figures as CSV",
		Long: `export writes one of a report's tables as CSV (RFC 4180): whole numbers, the unit
in the column's name (in findings: beside the figure), one row an observation.
The tables are
` + names + `.`,
		Example: `  slicetrace export REPORT --table cores > cores.csv
  slicetrace export REPORT --table workers -o workers.csv`,
		Args: usageArgs(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			if format != string(formatCSV) {
				return usagef("--format %q: export writes csv", format)
			}
			if table == "" {
				return usagef("name a table with --table: %s", names)
			}
			r, err := readReport(args[0])
			if err != nil {
				return err
			}
			if output == "" {
				return showTable(s.out, r, table)
			}
			t, err := r.Table(table)
			if err != nil {
				return &statusError{exitUsage, err}
			}
			var text bytes.Buffer
			if err := render.CSV(&text, t); err != nil {
				return err
			}
			return report.WriteText(output, text.Bytes(), invokingUser().owner())
		},
	}
	cmd.Flags().StringVar(&table, "table", "", "the table to write: "+names)
	cmd.Flags().StringVar(&format, "format", string(formatCSV), "the format to write: csv")
	complete(cmd, "format", []string{string(formatCSV)})
	cmd.Flags().StringVarP(&output, "output", "o", "", "write to this file instead of standard output")
	complete(cmd, "table", report.TableNames())
	return cmd
}
