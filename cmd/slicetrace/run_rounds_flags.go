package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/slicetrace/slicetrace/report"
)

// roundsOptions are run's flags for programs that are repeated by rounds, one or several in turn.
type roundsOptions struct {
	lines, labels []string
	warmup        int
	prepare       string
	metric        string
	less          bool
	ignoreFailure bool
	untraced      int

	// commands are the lines, or the program after --.
	commands []report.CommandSetup
	// prepared is what is executed for prepare, nil for nothing.
	prepared []string
	// figure finds the metric, nil if none is asked for.
	figure *regexp.Regexp
}

// defaultUntraced is the default of --untraced: a third of all runs is then untraced.
const defaultUntraced = 2

func (o *roundsOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&o.lines, "command", nil,
		"a program with its arguments, as one word; several are run in turn, round by round, and compared")
	f.StringArrayVar(&o.labels, "label", nil, "a name for each --command, in the same order (default: the command)")
	f.IntVar(&o.warmup, "warmup", 0, "with --command or --rounds -- CMD: how often each runs before the first round")
	f.StringVar(&o.prepare, "prepare", "",
		"with these: a command to run before each run of theirs, neither timed nor counted")
	f.StringVar(&o.metric, "metric", "",
		"with these: an expression whose first group finds a number in what they write, such as\n"+
			"'([0-9.]+) (req/s)'; a second group is its unit")
	f.BoolVar(&o.less, "metric-less-is-better", false, "with --metric: the number is a time, or the like")
	f.BoolVar(&o.ignoreFailure, "ignore-failure", false, "with these: go on if a command fails")
	f.IntVar(&o.untraced, "untraced", defaultUntraced,
		"with these: in each round that this divides, run each once more without the tracer; 0 is in none")
}

// roundsOnly are the flags that only runs of programs by rounds have.
func roundsOnly() []string {
	return []string{"label", "warmup", "prepare", "metric", "metric-less-is-better", "ignore-failure", "untraced"}
}

// asked reports whether programs are to be run by rounds; the program after --, if there is one, is at dash.
func (o *roundsOptions) asked(cmd *cobra.Command, dash int) bool {
	flags := roundsOnly()
	if dash >= 0 {
		flags = append(flags, "rounds")
	}
	return cmd.Flags().Changed("command") || slices.ContainsFunc(flags, cmd.Flags().Changed)
}

// most bounds what can be asked for, so that a report stays one that can be read.
const (
	mostRounds   = 1000
	mostCommands = 20
	mostLabel    = 200
)

// checkRounds rejects what has no meaning for a run by rounds, and reads the rest. argv is the program after --.
func (o *runOptions) checkRounds(cmd *cobra.Command, before, argv []string) error {
	given, r := cmd.Flags().Changed, &o.repeat
	if len(r.lines) > 0 {
		switch {
		case len(before) > 0:
			return usagef("workload %q and --command: run either bundled workloads or programs", before[0])
		case cmd.ArgsLenAtDash() >= 0:
			return usagef("--command and a program after --: give all of them by --command")
		}
	} else if len(before) > 0 && cmd.ArgsLenAtDash() >= 0 {
		return usagef("workload %q before --: run either bundled workloads or a program", before[0])
	} else if cmd.ArgsLenAtDash() < 0 {
		for _, name := range roundsOnly() {
			if given(name) {
				return usagef("--%s is for programs: give --command, or one after --", name)
			}
		}
	}
	if len(r.lines) == 0 && len(argv) == 0 {
		return usagef("no program after --: write slicetrace run --rounds N -- CMD [ARG...]")
	}
	if err := o.checkProgram(cmd); err != nil {
		return err
	}
	switch {
	case o.rounds < 1 || o.rounds > mostRounds:
		return usagef("--rounds %d: give a number from 1 to %d", o.rounds, mostRounds)
	case r.warmup < 0 || r.warmup > mostRounds:
		return usagef("--warmup %d: give a number from 0 to %d", r.warmup, mostRounds)
	case r.untraced < 0:
		return usagef("--untraced %d: give 0 or more", r.untraced)
	case given("untraced") && r.untraced > 0 && (o.record != "" || o.watch.why):
		return usagef("--untraced %d: --record and --why keep the tracer attached; leave one of them out", r.untraced)
	case given("metric-less-is-better") && r.metric == "":
		return usagef("--metric-less-is-better is for --metric: add that, or leave it out")
	case o.record != "" || o.watch.why:
		r.untraced = 0
	}
	return r.read(argv)
}

// read fills in the commands, what prepares them and what is read from their output.
func (o *roundsOptions) read(argv []string) (err error) {
	if len(o.lines) > mostCommands {
		return usagef("%d of --command: give at most %d", len(o.lines), mostCommands)
	}
	if len(argv) > 0 {
		line := report.Setup{Command: argv}.CommandLine()
		o.commands = []report.CommandSetup{{Label: filepath.Base(argv[0]), Line: line, Argv: argv}}
	}
	for _, line := range o.lines {
		words, err := argvOf(line)
		if err != nil {
			return usagef("--command %q: %w", line, err)
		}
		o.commands = append(o.commands, report.CommandSetup{Label: line, Line: line, Argv: words})
	}
	if n := len(o.labels); n > 0 && n != len(o.commands) {
		return usagef("programs: %d, labels: %d: give a --label for each program, or for none", len(o.commands), n)
	}
	for i := range o.commands {
		c := &o.commands[i]
		if len(o.labels) > 0 {
			c.Label = o.labels[i]
		}
		if c.Label == "" || !utf8.ValidString(c.Label) || utf8.RuneCountInString(c.Label) > mostLabel {
			return usagef("%s: give it a --label of 1 to %d characters", shorten(c.Line), mostLabel)
		}
		same := func(other report.CommandSetup) bool { return other.Label == c.Label }
		if slices.ContainsFunc(o.commands[:i], same) {
			return usagef("two programs are called %s: give each its own --label", shorten(c.Label))
		}
	}
	if o.prepare != "" {
		if o.prepared, err = argvOf(o.prepare); err != nil {
			return usagef("--prepare %q: %w", o.prepare, err)
		}
	}
	if o.metric == "" {
		return nil
	}
	if o.figure, err = regexp.Compile(o.metric); err != nil {
		return usagef("--metric: %w", err)
	}
	if n := o.figure.NumSubexp(); n < 1 || n > 2 {
		return usagef("--metric %q: give it a group for the number, such as '([0-9.]+) req/s', "+
			"and perhaps one for its unit", o.metric)
	}
	return nil
}

// shorten quotes a text and cuts it if it is long.
func shorten(text string) string { return fmt.Sprintf("%.80q", text) }

// setup returns what was asked for.
func (o *runOptions) roundsSetup(argv []string) report.Setup {
	r := &o.repeat
	setup := report.Setup{
		Command: argv, Commands: r.commands, Warmup: r.warmup, Prepare: r.prepare, UntracedEvery: r.untraced,
		Modes: []report.Mode{report.Command}, Rounds: o.rounds,
	}
	if r.metric != "" {
		setup.Output = &report.OutputSetup{Regexp: r.metric, LessIsBetter: r.less}
	}
	return setup
}
