package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/slicetrace/slicetrace/cmd/slicetrace/internal/outfile"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/compare"
	"github.com/slicetrace/slicetrace/report/render"
	"github.com/slicetrace/slicetrace/report/table"
	"github.com/slicetrace/slicetrace/report/view"
)

// formatMarkdown is a format that compare has in addition to those of a report.
const formatMarkdown format = "markdown"

func compareFormats() []string { return append(formats(), string(formatMarkdown)) }

// compareOptions are compare's flags and arguments.
type compareOptions struct {
	format, output string
	verbose        bool
	failIf         []string
	byInterval     bool
	failUndecided  bool
	old, new, like []string
}

func newCompare(s streams) *cobra.Command {
	var c compareOptions
	cmd := &cobra.Command{
		Use:   "compare OLD NEW... | OLD... --with NEW... [--like LIKE...]",
		Short: "Show what changed between saved reports",
		Long: `compare matches the trials of reports by workload, variant and mode and shows
what changed, each change with its 95 % interval. Differences between the machines and
set-ups come first. Watches of a system are compared by control group too and, if all of
them have stacks (run --why), by where tasks were off their cores.

Runs of the same work differ from each other (with the hour, with other work, with the
layout of memory) far more than the rounds within one run do. So a run is one sample.
Make ` + strconv.Itoa(compare.AskedRuns) + ` runs of each side in turns, and alternate which side goes first:

  for i in 1 3 5; do
    ./old run pipe -o old$i.json; ./new run pipe -o new$i.json
    ./new run pipe -o new$((i+1)).json; ./old run pipe -o old$((i+1)).json
  done

Name the runs of one side before --with and those of the other after it. A difference
is reported as a change only if few of all ways to assign the runs to two sides give one
as large. The comparison says how many runs a side are needed to find a change of 10 %.

With one run a side, or with sides that were not made in turns, differences are shown,
but none is reported as a change unless ` + strconv.Itoa(compare.LeastLike) + ` or more similar runs show how much runs
differ: those named with --like or, with a single old report, those in its folder. They
must have been made over at least as long a time as lies between the two sides. Without
--with, each report is compared with the first.

--fail-if ends compare with status 3 if a significant change is beyond a limit, or a new
figure is beyond a value. Write [WORKLOAD[/MODE]:]METRIC>LIMIT or METRIC<LIMIT, with a
LIMIT such as 5%, 10us, 4MiB. The metrics are
` + metricLines() + `.`,
		Example: `  slicetrace compare old*.json --with new*.json
  slicetrace compare old.json new.json --like baseline/*.json
  slicetrace compare --format markdown -o comment.md main*.json --with branch*.json
  slicetrace compare --fail-if 'cost_p50>5%' --fail-if 'pipe/threads:operations<-5%' main*.json --with branch*.json
  slicetrace compare --fail-if 'wait_p99>1ms' --fail-by interval --fail-if-undecided main*.json --with branch*.json`,
		Args: usageArgs(cobra.ArbitraryArgs),
		RunE: func(cmd *cobra.Command, args []string) error {
			if c.output == standardOutput {
				c.output = ""
			}
			if err := c.sides(cmd, args); err != nil {
				return err
			}
			if len(c.failIf) == 0 && (cmd.Flags().Changed("fail-by") || c.failUndecided) {
				return usagef("--fail-by and --fail-if-undecided go with --fail-if")
			}
			return c.run(s)
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.format, "format", string(formatText),
		"show the comparison as "+strings.Join(compareFormats(), ", "))
	complete(cmd, "format", compareFormats())
	f.StringVarP(&c.output, "output", "o", "", "write to this file, or - for standard output (default)")
	f.BoolVarP(&c.verbose, "verbose", "v", false,
		"show every figure, changed or not, and the switches of each core and class")
	f.Var(&listFlag{flags: f}, "with", "reports of the new side: this one and those that follow it")
	f.Var(&listFlag{flags: f}, "like", "reports of runs like the old side's: this one and those that follow it")
	f.StringArrayVar(&c.failIf, "fail-if", nil,
		"end with status 3 if a significant change meets this, such as 'cost_p50>5%' (repeatable)")
	complete(cmd, "fail-if", failIfWords())
	f.Var(&choice{&c.byInterval, "estimate", "interval"}, "fail-by",
		"what of a change must be beyond the limit: estimate or interval (all of its 95 %)")
	complete(cmd, "fail-by", []string{"estimate", "interval"})
	f.BoolVar(&c.failUndecided, "fail-if-undecided", false,
		"end with status 4 if no condition is met, but some figures are not shown to be within the limits")
	return cmd
}

// listFlag is a flag that takes several values: the word after it, and then the arguments
// that follow, since a shell expands a pattern to several words.
type listFlag struct {
	flags *pflag.FlagSet
	first []string
	// at is the number of arguments before each value.
	at []int
}

// Set takes a value and notes its place among the arguments.
func (l *listFlag) Set(value string) error {
	l.first, l.at = append(l.first, value), append(l.at, l.flags.NArg())
	return nil
}

// Type names the value in help texts.
func (l *listFlag) Type() string { return "REPORT..." }

func (l *listFlag) String() string { return strings.Join(l.first, " ") }

// choice is a flag whose value is one of two words; the second means true.
type choice struct {
	value   *bool
	no, yes string
}

// Set accepts one of the two words.
func (c *choice) Set(word string) error {
	if word != c.no && word != c.yes {
		return fmt.Errorf("give %s or %s", c.no, c.yes)
	}
	*c.value = word == c.yes
	return nil
}

// Type names the value in help texts.
func (c *choice) Type() string { return c.no + "|" + c.yes }

func (c *choice) String() string {
	if c.value != nil && *c.value {
		return c.yes
	}
	return c.no
}

// sides assigns the arguments to the sides: each to the list whose flag came last.
func (c *compareOptions) sides(cmd *cobra.Command, args []string) error {
	with := cmd.Flags().Lookup("with").Value.(*listFlag)
	like := cmd.Flags().Lookup("like").Value.(*listFlag)
	to := &c.old
	for i := 0; i <= len(args); i++ {
		for _, l := range []struct {
			flag *listFlag
			list *[]string
		}{{with, &c.new}, {like, &c.like}} {
			for j, at := range l.flag.at {
				if at == i {
					*l.list, to = append(*l.list, l.flag.first[j]), l.list
				}
			}
		}
		if i < len(args) {
			*to = append(*to, args[i])
		}
	}
	switch {
	case with.at == nil && len(c.old) < 2:
		return usagef("nothing to compare with: name the old report and new ones, or name the new ones after --with")
	case len(c.old) == 0:
		return usagef("no old report: name the old ones before --with")
	}
	return nil
}

// metricLines lists the metrics in lines that fit a terminal.
func metricLines() string {
	var lines []string
	for few := range slices.Chunk(compare.MetricNames(), 8) {
		lines = append(lines, strings.Join(few, ", "))
	}
	return strings.Join(lines, ",\n")
}

// failIfWords are conditions that the shell's completion offers.
func failIfWords() []string {
	var out []string
	for _, m := range compare.MetricNames() {
		out = append(out, m+">5%")
	}
	return out
}

func (c *compareOptions) run(s streams) error {
	if !slices.Contains(compareFormats(), c.format) {
		return usagef("--format %q: the formats are %s", c.format, strings.Join(compareFormats(), ", "))
	}
	var conditions []compare.Condition
	for _, text := range c.failIf {
		condition, err := compare.ParseCondition(text)
		if err != nil {
			return usagef("--fail-if: %w", err)
		}
		conditions = append(conditions, condition)
	}
	names := slices.Concat(c.old, c.new, c.like)
	targets, err := openOutputs(s, names, outputFlag{"-o", c.output})
	if err != nil {
		return err
	}
	reports, err := readReports(names)
	if err != nil {
		return err
	}
	comparison, err := c.compare(reports)
	if err != nil {
		return err
	}
	wrong := comparison.Check(conditions, compare.CheckOptions{Interval: c.byInterval})
	if c.output == "" && len(conditions) == 0 { // with conditions the exit status is a result too
		warnIfClosed(s)
	}
	if err := c.write(s.out, targets[0], comparison); err != nil {
		return err
	}
	if wrong != nil {
		return wrong
	}
	return c.verdict(comparison)
}

// compare compares the two sides or, without --with, each report with the first.
func (c *compareOptions) compare(reports []compare.Input) (*compare.Comparison, error) {
	n, m := len(c.old), len(c.old)+len(c.new)
	full := c.verbose || c.format == string(formatJSON) || c.format == string(formatCSV)
	opts := compare.Options{Cores: full, Like: reports[m:]}
	if len(c.new) > 0 {
		opts.Like = append(opts.Like, likeBeside(reports[:n], reports, c.like)...)
		return compare.Reports(reports[:n], [][]compare.Input{reports[n:m]}, opts)
	}
	opts.Like = append(opts.Like, likeBeside(reports[:1], reports, c.like)...)
	var others [][]compare.Input
	for i := range reports[1:n] {
		others = append(others, reports[1+i:2+i])
	}
	return compare.Reports(reports[:1], others, opts)
}

const (
	// mostBeside is how many files in the folder of the old report are read, the newest
	// first, and enoughLike how many similar runs are enough.
	mostBeside, enoughLike = 20, 8
	// largestBeside is the size in bytes of the largest file that is read: some ten times
	// that of a default run on two cores.
	largestBeside = 64 << 20
)

// likeBeside returns the reports of similar runs in the folder of a single old report, if
// --like named no others.
func likeBeside(old, given []compare.Input, asked []string) []compare.Input {
	if len(asked) > 0 || len(old) > 1 {
		return nil
	}
	all, err := filepath.Glob(filepath.Join(filepath.Dir(old[0].Name), "*.json"))
	if err != nil {
		return nil // the folder's name is not a valid pattern
	}
	type file struct {
		name string
		info os.FileInfo
	}
	var files []file
	for _, name := range all {
		info, err := os.Stat(name)
		taken := slices.ContainsFunc(given, func(n compare.Input) bool {
			other, err := os.Stat(n.Name)
			return err == nil && os.SameFile(info, other)
		})
		if err == nil && info.Mode().IsRegular() && info.Size() <= largestBeside && !taken {
			files = append(files, file{name, info})
		}
	}
	slices.SortFunc(files, func(a, b file) int { return b.info.ModTime().Compare(a.info.ModTime()) })
	var like []compare.Input
	for _, f := range files[:min(len(files), mostBeside)] {
		if len(like) == enoughLike {
			break
		}
		r, err := report.ReadFile(f.name)
		if err != nil {
			continue // nobody named this file: it need not be a report
		}
		for _, n := range compare.LikeRuns(old[0].Report, []compare.Input{{Name: f.name, Report: r}}) {
			known := slices.ContainsFunc(slices.Concat(given, like), func(o compare.Input) bool {
				return o.Report.Created.Equal(r.Created) && o.Report.ID() == r.ID()
			})
			if !known {
				like = append(like, n)
			}
		}
	}
	return like
}

// verdict returns the error, and so the exit status, that the conditions lead to.
func (c *compareOptions) verdict(comparison *compare.Comparison) error {
	var met, undecided []string
	for _, one := range comparison.Checked {
		switch {
		case len(one.Met) > 0:
			met = append(met, one.Sentence())
		case one.Undecided > 0:
			undecided = append(undecided, one.Sentence())
		}
	}
	switch {
	case len(met) > 0:
		return &statusError{exitChanged, errors.New("--fail-if: " + strings.Join(met, "; "))}
	case len(undecided) > 0 && c.failUndecided:
		return &statusError{exitUndecided, errors.New("--fail-if-undecided: " + strings.Join(undecided, "; "))}
	}
	return comparison.Undecidable()
}

// readReports reads the files in parallel, since reading takes most of the time.
func readReports(names []string) ([]compare.Input, error) {
	delayGC()
	out, errs := make([]compare.Input, len(names)), make([]error, len(names))
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

// write writes the comparison to its target or, if that is nil, to standard output.
func (c *compareOptions) write(out *os.File, target *outfile.Target, comparison *compare.Comparison) error {
	if target == nil {
		return c.render(out, comparison, textOptions(out, view.Brief))
	}
	return target.Write(func(w io.Writer) error {
		return c.render(w, comparison, render.TextOptions{})
	})
}

func (c *compareOptions) render(w io.Writer, comparison *compare.Comparison, opts render.TextOptions) error {
	switch format(c.format) {
	case formatJSON:
		return render.ComparisonJSON(w, comparison)
	case formatCSV:
		return writeCSV(w, table.Comparison(comparison))
	case formatMarkdown:
		return render.Markdown(w, view.SummarizeComparison(comparison, c.verbose))
	}
	return render.SummaryText(w, view.SummarizeComparison(comparison, c.verbose), opts)
}
