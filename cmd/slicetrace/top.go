package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/slicetrace/slicetrace/cmd/slicetrace/internal/inherited"
	"github.com/slicetrace/slicetrace/cmd/slicetrace/internal/screen"
	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/render"
	"github.com/slicetrace/slicetrace/report/table"
	"github.com/slicetrace/slicetrace/report/view/live"
)

// topOptions are top's flags.
type topOptions struct {
	filter   watchFilter
	interval time.Duration
	count    int
	format   string
	by       string
	rows     int
	phases   string
	tasks    int
	why      bool
}

// The formats of top. The screen is chosen where there is a terminal, text elsewhere.
const (
	topScreen = "screen"
	topText   = "text"
	topCSV    = "csv"
	topJSONL  = "jsonl"
)

// The values of top's --phases, beside phaseAll and phaseNone.
const phasesSampled = "sampled"

func phasesNames() []string { return []string{phasesSampled, phaseAll, phaseNone} }

func groupingNames() []string {
	var names []string
	for _, g := range live.Groupings() {
		names = append(names, g.String())
	}
	return names
}

func newTop(s streams) *cobra.Command {
	o := &topOptions{}
	cmd := &cobra.Command{
		Use:   "top",
		Short: "Show what switches cost on this machine now, and which tasks switch and wait",
		Long: `top watches every task of the running machine, with one eBPF program at each switch
that reads no clock. On a terminal it shows a screen, whose keys ? explains; elsewhere, or
with --format, it writes a block of text, CSV rows of tasks or a line of JSON for each
interval. Nothing is attached any more when it ends.

A task counts from the moment on at which it first takes a core. Waits and switches are the
kernel's own: they equal run_delay in /proc/PID/schedstat and the counts of switches in
/proc/PID/status. What a switch costs is measured in a tenth of every second interval, or with --phases all
for every switch.

With --why the details of a row (Enter) also say at which stacks it was off its cores, asleep
or runnable, who took its core and who woke it, in the interval. Threads of one name in a
process count as one there. Stacks are taken of absences of at least 1 ms, some 1000 a
second on each core at most.`,
		Example: `  sudo slicetrace top
  sudo slicetrace top --by group --interval 2s
  sudo slicetrace top --why
  sudo slicetrace top --comm 'postgres*' --format text --count 3
  sudo slicetrace top --format jsonl --count 10 | jq .system.tasks`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(cmd, s); err != nil {
				return err
			}
			return o.run(cmd.Context(), s)
		},
	}
	f := cmd.Flags()
	o.filter.addFlags(cmd)
	f.DurationVar(&o.interval, "interval", time.Second, "how long each interval takes, from 50ms to 10m")
	f.IntVar(&o.count, "count", 0, "end after this many intervals (default: until interrupted)")
	f.StringVar(&o.format, "format", "",
		"show intervals as screen, text, csv or jsonl (default: screen on a terminal, text elsewhere)")
	f.StringVar(&o.by, "by", live.ByTask.String(), "what a row stands for: "+strings.Join(groupingNames(), ", "))
	f.IntVar(&o.rows, "rows", 20, "how many rows of tasks a block of text has at most")
	f.StringVar(&o.phases, "phases", phasesSampled,
		"which switches' costs to measure: sampled, all or none; sampled is now and then, and\n"+
			"all slows each switch down")
	f.BoolVar(&o.why, "why", false,
		"on the screen: say where a task, process or group was when it was off its cores, who\n"+
			"took these, and who woke it")
	f.IntVar(&o.tasks, "max-tasks", collector.DefaultLiveTasks, "how many tasks can be watched at once")
	complete(cmd, "format", []string{topScreen, topText, topCSV, topJSONL})
	complete(cmd, "by", groupingNames())
	complete(cmd, "phases", phasesNames())
	return cmd
}

func (o *topOptions) check(cmd *cobra.Command, s streams) error {
	given := cmd.Flags().Changed
	unsuited := screen.Unsuited(s.in, s.out, os.Getenv("TERM"))
	if o.format == "" {
		o.format = topText
		if unsuited == nil {
			o.format = topScreen
		}
	}
	switch {
	case !slices.Contains([]string{topScreen, topText, topCSV, topJSONL}, o.format):
		return usagef("--format %s: the formats are screen, text, csv and jsonl", o.format)
	case o.format == topScreen && unsuited != nil:
		return usagef("--format screen: %w: text, csv and jsonl need no terminal", unsuited)
	case !slices.Contains(groupingNames(), o.by):
		return usagef("--by %s: the rows can be by %s", o.by, strings.Join(groupingNames(), ", "))
	case !slices.Contains(phasesNames(), o.phases):
		return usagef("--phases %s: it is sampled, all or none", o.phases)
	case given("count") && o.count < 1:
		return usagef("--count %d: give at least 1", o.count)
	case o.why && o.format != topScreen:
		return usagef("--why is for the screen: slicetrace run --all --why saves the same as a report")
	case o.rows < 1:
		return usagef("--rows %d: give at least 1", o.rows)
	case o.tasks < 1 || o.tasks > mostTasks:
		return usagef("--max-tasks %d: give 1 to %d", o.tasks, mostTasks)
	}
	return errors.Join(checkInterval("interval", o.interval), o.filter.check())
}

// mostTasks is the limit of the kernel for tasks: PID_MAX_LIMIT of 64-bit systems.
const mostTasks = 4 << 20

// stacks says which stacks are taken, nil if none are.
func (o *topOptions) stacks() *collector.WhyOptions {
	if !o.why {
		return nil
	}
	return &collector.WhyOptions{Block: time.Millisecond, OnlyToldApart: len(o.filter.pids) > 0}
}

func (o *topOptions) grouping() live.Grouping {
	return live.Groupings()[slices.Index(groupingNames(), o.by)]
}

func (o *topOptions) run(ctx context.Context, s streams) (err error) {
	if err := o.filter.find(); err != nil {
		return err
	}
	l, err := openLive(collector.LiveOptions{Tasks: o.tasks, Why: o.stacks()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	if err := o.filter.begin(l); err != nil {
		return err
	}
	if o.phases == phaseAll {
		if err := l.TimeAllPhases(); err != nil {
			return err
		}
	}
	if err := l.TimePhases(ctx, firstWindow); err != nil {
		return err
	}
	if err := keepCapabilities(liveCapabilities(invokingUser() != nil)...); err != nil {
		return err
	}
	if _, err := l.Next(); err != nil { // the first interval begins now
		return err
	}
	w := newWatcher(l, &o.filter, o.interval, o.phases == phasesSampled, o.count)
	ctx, stop := untilInterrupted(ctx, inherited.Read().Ignored)
	defer stop()
	if o.format == topScreen {
		return o.show(ctx, s, w, l)
	}
	warnIfClosed(s)
	write := o.writer(s.out, func() int { return blockWidth(s.out) })
	for {
		t, err := w.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if over := (*screen.OverError)(nil); errors.As(err, &over) {
			fmt.Fprintf(s.err, "slicetrace: %v\n", over)
			return nil
		}
		if err != nil {
			return err
		}
		if err := write(t); err != nil {
			return err
		}
	}
}

// blockWidth is how wide text can be: as a terminal is now, elsewhere 0 for any width.
func blockWidth(f *os.File) int {
	if !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	return columns(f)
}

// writer returns what writes an interval in the chosen format, text in lines of a width.
func (o *topOptions) writer(out io.Writer, width func() int) func(*report.Trial) error {
	switch o.format {
	case topJSONL:
		return func(t *report.Trial) error { return report.EncodeTrial(out, t) }
	case topCSV:
		csv := render.NewCSV(out)
		return func(t *report.Trial) error {
			if err := csv.Table(table.TasksOfInterval(t, t.Round)); err != nil {
				return err
			}
			return csv.Close() // each interval is written when it is over
		}
	}
	model := live.New(nil)
	return func(t *report.Trial) error {
		model.Add(t)
		model.Update()
		return screen.WriteBlock(out, model, o.grouping(), o.rows, width())
	}
}

// show shows the screen until the user leaves it, and then names the files that were saved.
func (o *topOptions) show(ctx context.Context, s streams, w *watcher, l *collector.Live) error {
	files := &topFiles{}
	options := screen.Options{
		Interval: o.interval, SetInterval: w.setInterval, Plain: os.Getenv("NO_COLOR") != "", By: o.grouping(),
		Filtered: o.filter.given(),
		Write:    files.write, Record: files.record,
	}
	if o.why {
		options.Stacks = l.Stacks
	}
	err := screen.Run(ctx, s.in, s.out, w, options)
	for _, name := range files.saved() {
		fmt.Fprintf(s.err, "Saved %s\n", name)
	}
	return err
}
