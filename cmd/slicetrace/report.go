package main

import (
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/render"
)

func newReport(s streams) *cobra.Command {
	format := formatText
	cmd := &cobra.Command{
		Use:   "report REPORT",
		Short: "Show a saved report again",
		Example: `  slicetrace report slicetrace-20261122T201100Z.json
  slicetrace report --format json REPORT | jq .quality`,
		Args: usageArgs(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			r, err := report.ReadFile(args[0])
			if err != nil {
				return err
			}
			return show(s.out, r, format)
		},
	}
	addFormat(cmd, &format)
	return cmd
}

// show writes a report in one of the formats.
func show(w *os.File, r *report.Report, f format) error {
	switch f {
	case formatJSON:
		return render.JSON(w, r)
	case formatCSV:
		return showTable(w, r, "cores")
	default:
		fd := int(w.Fd())
		options := render.TextOptions{Bold: term.IsTerminal(fd)}
		if width, _, err := term.GetSize(fd); err == nil {
			options.Width = min(width, render.DefaultWidth)
		}
		return render.Text(w, r, options)
	}
}

func showTable(w *os.File, r *report.Report, name string) error {
	table, err := r.Table(name)
	if err != nil {
		return &statusError{exitUsage, err}
	}
	return render.CSV(w, table)
}
