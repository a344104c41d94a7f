package main

import (
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/findings"
	"github.com/slicetrace/slicetrace/report/render"
	"github.com/slicetrace/slicetrace/report/table"
	"github.com/slicetrace/slicetrace/report/view"
)

func newReport(s streams) *cobra.Command {
	format := formatText
	var verbose int
	var prices pricesFlag
	var page pageFlags
	cmd := &cobra.Command{
		Use:   "report [OLD] REPORT",
		Short: "Show a saved report again, or make an HTML page of it",
		Long: `report shows a saved report: of bundled workloads the first screen, which says what
processes and threads cost on this machine, with -v the rest. With --html it writes a page for a browser instead: one
file that needs nothing else, with charts, every figure and, from a recording of the
same run, the slices themselves. With two reports the page shows the second, and what
has changed since the first.`,
		Example: `  slicetrace report slicetrace-20261122T201100Z.json
  slicetrace report -v REPORT
  slicetrace report -vv REPORT
  slicetrace report build.json --prices prices.json
  slicetrace report --format json REPORT | jq .quality
  slicetrace report REPORT --html page.html
  slicetrace report REPORT --html page.html --recording RECORDING
  slicetrace report OLD NEW --html page.html`,
		Args: usageArgs(cobra.RangeArgs(1, 2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := page.check(cmd, len(args)); err != nil {
				return err
			}
			if page.html != "" {
				return page.write(s, args)
			}
			warnIfClosed(s)
			r, err := readReport(args[0])
			if err != nil {
				return err
			}
			if err := prices.read(format, len(r.Setup.Workloads) > 0); err != nil {
				return err
			}
			return show(s.out, r, format, verbose, prices)
		},
	}
	addFormat(cmd, &format)
	addVerbose(cmd, &verbose)
	prices.add(cmd)
	addPage(cmd, &page)
	return cmd
}

// readReport reads a report, and decides the claims if it was saved without findings.
func readReport(name string) (*report.Report, error) {
	delayGC()
	r, err := report.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return withFindings(r), nil
}

// withFindings decides the claims of a report that was saved without findings.
func withFindings(r *report.Report) *report.Report {
	if r.Findings == nil {
		findings.Compute(r)
	}
	return r
}

func addVerbose(cmd *cobra.Command, verbose *int) {
	cmd.Flags().CountVarP(verbose, "verbose", "v",
		"show the long report instead of its first screen; `` twice (-vv), every figure of every workload, and\n"+
			"why claims were not measured")
}

// show writes a report in one of the formats.
func show(w *os.File, r *report.Report, f format, verbose int, prices pricesFlag) error {
	switch f {
	case formatJSON:
		return render.JSON(w, r)
	case formatCSV:
		return showTable(w, r, "cores")
	default:
		options := textOptions(w, view.Detail(verbose))
		options.Prices = prices.of(r)
		return render.Text(w, r, options)
	}
}

// textOptions returns options that suit the terminal, if w is one.
func textOptions(w *os.File, detail view.Detail) render.TextOptions {
	fd := int(w.Fd())
	options := render.TextOptions{Bold: wantsBold(w), Detail: detail}
	if width, _, err := term.GetSize(fd); err == nil {
		options.Width = min(width, render.DefaultWidth)
	}
	return options
}

func showTable(w io.Writer, r *report.Report, name string) error {
	tab, err := table.Of(r, name)
	if err != nil {
		return &statusError{exitUsage, err}
	}
	return writeCSV(w, tab)
}

func writeCSV(w io.Writer, tab table.Table) error {
	out := render.NewCSV(w)
	return errors.Join(out.Table(tab), out.Close())
}
