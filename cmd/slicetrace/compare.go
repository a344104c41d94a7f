package main

import (
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/render"
)

// formatMarkdown is what compare has besides the formats of reports.
const formatMarkdown format = "markdown"

func compareFormats() []string { return append(formats(), string(formatMarkdown)) }

// comparing is what compare was asked for.
type comparing struct {
	format, output string
	verbose        bool
	failIf         []string
}

func newCompare(s streams) *cobra.Command {
	var c comparing
	cmd := &cobra.Command{
		Use:   "compare OLD NEW...",
		Short: "Show what changed from one saved report to others",
		Long: `compare matches the trials of two reports by workload, variant and mode, tests
every figure (Mann-Whitney; a trial is one sample) and shows what changed, with the
change's 95 % interval. What differs between the machines and set-ups comes first.
More reports are each compared with the first.

--fail-if ends compare with status 3 when a significant change is beyond a limit:
[WORKLOAD[/MODE]:]METRIC>N% or METRIC<N%. The metrics are
` + metricLines() + `.`,
		Example: `  slicetrace compare old.json new.json
  slicetrace compare --verbose old.json new.json newer.json
  slicetrace compare --format markdown -o comment.md main.json branch.json
  slicetrace compare --fail-if 'cost_p50>5%' --fail-if 'pipe/threads:operations<-5%' main.json branch.json`,
		Args: usageArgs(cobra.MinimumNArgs(2)),
		RunE: func(_ *cobra.Command, args []string) error {
			if c.output == standardOutput {
				c.output = ""
			}
			return c.run(s, args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.format, "format", string(formatText), "show the comparison as "+strings.Join(compareFormats(), ", "))
	complete(cmd, "format", compareFormats())
	f.StringVarP(&c.output, "output", "o", "", "write to this file, or - for standard output (default)")
	f.BoolVarP(&c.verbose, "verbose", "v", false, "show every figure, changed or not, and the switches of each core and class")
	f.StringArrayVar(&c.failIf, "fail-if", nil, "end with status 3 if a significant change meets this, such as 'cost_p50>5%' (repeatable)")
	complete(cmd, "fail-if", failIfWords())
	return cmd
}

// metricLines lists the metrics on lines that fit a terminal.
func metricLines() string {
	var lines []string
	for few := range slices.Chunk(report.MetricNames(), 8) {
		lines = append(lines, strings.Join(few, ", "))
	}
	return strings.Join(lines, ",\n")
}

// failIfWords begin conditions for the shell's completion.
func failIfWords() []string {
	var out []string
	for _, m := range report.MetricNames() {
		out = append(out, m+">5%")
	}
	return out
}

func (c *comparing) run(s streams, names []string) error {
	if !slices.Contains(compareFormats(), c.format) {
		return usagef("--format %q: the formats are %s", c.format, strings.Join(compareFormats(), ", "))
	}
	var conditions []report.Condition
	for _, text := range c.failIf {
		condition, err := report.ParseCondition(text)
		if err != nil {
			return usagef("--fail-if: %w", err)
		}
		conditions = append(conditions, condition)
	}
	targets, err := openOutputs(s, names, asked{"-o", c.output})
	if err != nil {
		return err
	}
	reports, err := readReports(names)
	if err != nil {
		return err
	}
	full := c.verbose || c.format == string(formatJSON) || c.format == string(formatCSV)
	comparison, err := report.Compare(reports[0], reports[1:], report.CompareOptions{Cores: full})
	if err != nil {
		return err
	}
	if c.output == "" && len(conditions) == 0 { // else the status says something too
		warnIfClosed(s)
	}
	if err := c.write(s.out, targets[0], comparison); err != nil {
		return err
	}
	met, err := comparison.Check(conditions)
	if err != nil {
		return err
	}
	if len(met) > 0 {
		return &statusError{exitChanged, errors.New("--fail-if: " + strings.Join(met, "; "))}
	}
	return nil
}

// readReports reads the files side by side, since that takes most of the time.
func readReports(names []string) ([]report.Named, error) {
	keepGarbage()
	out, errs := make([]report.Named, len(names)), make([]error, len(names))
	var wait sync.WaitGroup
	for i, name := range names {
		wait.Go(func() {
			out[i].Name = name
			out[i].Report, errs[i] = report.ReadFile(name)
		})
	}
	wait.Wait()
	return out, errors.Join(errs...)
}

// write writes the comparison to a target or, without one, to standard output.
func (c *comparing) write(out *os.File, target *report.Target, comparison *report.Comparison) error {
	if target == nil {
		return c.render(out, comparison, textOptions(out, c.verbose))
	}
	return target.Write(func(w io.Writer) error {
		return c.render(w, comparison, render.TextOptions{Verbose: c.verbose})
	})
}

func (c *comparing) render(w io.Writer, comparison *report.Comparison, opts render.TextOptions) error {
	switch format(c.format) {
	case formatJSON:
		return render.ComparisonJSON(w, comparison)
	case formatCSV:
		return writeCSV(w, comparison.Table())
	case formatMarkdown:
		return render.Markdown(w, comparison.Summarize(c.verbose))
	}
	return render.SummaryText(w, comparison.Summarize(c.verbose), opts)
}
