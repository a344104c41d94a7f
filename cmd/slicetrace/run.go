package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/slicetrace/slicetrace/cmd/slicetrace/internal/inherited"
	"github.com/slicetrace/slicetrace/cmd/slicetrace/internal/outfile"
	"github.com/slicetrace/slicetrace/cmd/slicetrace/internal/trial"
	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/collector/hostinfo"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
	"github.com/slicetrace/slicetrace/workloads"
)

// runOptions are run's flags.
type runOptions struct {
	modes      []string
	phases     []string
	rounds     int
	duration   time.Duration
	operations int64
	workers    int
	cores      string
	tasks      int
	output     string
	record     string
	format     format
	quiet      bool
	keepRoot   bool
	verbose    int
	prices     pricesFlag
	claims     bool
	watch      watchOptions
	flight     flightOptions
	repeat     roundsOptions

	// saved and recorded are the targets of -o and --record, nil for a flag that is not given.
	saved, recorded *outfile.Target
	// inherited is what this process inherited, before Go's runtime changed some of it.
	inherited inherited.State
}

// defaultRounds is the number of short rounds that find a difference of 10 % in nine runs
// out of ten, on a machine that other programs slow down now and then: see
// report/README.md. Six are the fewest that give a confidence interval of 95 %.
const defaultRounds = 12

func newRun(s streams) *cobra.Command {
	o := &runOptions{format: formatText}
	cmd := &cobra.Command{
		Use:   "run [WORKLOAD...] [--command 'CMD'...] [-- CMD [ARG...]]",
		Short: "Measure the bundled workloads in both modes, any program, or what runs already",
		Long: `run traces every switch on every core while the bundled workloads run as processes
and as threads in turn, saves a report and shows its first screen (-v: all of it). After
-- it does the same for any program and all its children: the program has standard input
and output to itself, the report follows on standard error, and run exits with the
program's exit status. With -o - or --record -, standard output carries only that file.

--command, once or several times, or --rounds before --, runs programs in turn, round by
round, and compares their times, switches and waits with the first one's, by statistics.
They have no input, and their output is not shown; --metric reads a number from it. A line
that needs a shell gets /bin/sh. In every second round each also runs without the tracer.
A program that fails ends the run; the rounds before are saved.

With --all it starts nothing and watches the running machine, and with --pid, --cgroup,
--comm or --uid those tasks that fit one value of each flag; --duration ends that, and each
interval of --every is a trial of the report. --record has what all tasks do, and marks
which of them fit.

--why adds, to any run, where tasks were when they were off their cores, by stacks of
their functions, who took their cores, and who woke them.

--keep makes --record a flight recorder: the recording stays in memory, and its last seconds
are saved when a task waits, runs or sleeps for longer than --when says, or at SIGUSR1. What
runs already is watched until the last of --times is saved.

A trial that fails does not affect the others: the report names it and the cause, and
the exit status is 1.

Ctrl-C and SIGTERM end a run of bundled workloads early: the rounds that have finished are
saved and shown. Half a second later or more, another signal ends it at once.

"slicetrace list" lists the workloads. Under sudo the work runs as the user who called
sudo, and the saved report belongs to that user.`,
		Example:           runExamples,
		ValidArgsFunction: completeRun,
		RunE:              func(cmd *cobra.Command, args []string) error { return o.run(cmd, s, args) },
	}
	o.addFlags(cmd)
	return cmd
}

// run runs what the command line asks for.
func (o *runOptions) run(cmd *cobra.Command, s streams, args []string) error {
	o.inherited = inherited.Read()
	if o.claims {
		if other := otherThanClaims(cmd, args); other != "" {
			return usagef("--claims runs nothing: leave out %s", other)
		}
		return listClaims(s.out)
	}
	if err := o.checkFlags(cmd); err != nil {
		return err
	}
	if o.watch.asked() {
		if err := o.checkWatch(cmd, args); err != nil {
			return err
		}
		return runWatch(cmd.Context(), s, o)
	}
	if err := o.watch.checkAlone(cmd); err != nil {
		return err
	}
	before, argv, dash := args, []string(nil), cmd.ArgsLenAtDash()
	if dash >= 0 {
		before, argv = args[:dash], args[dash:]
	}
	switch {
	case o.repeat.asked(cmd, dash):
		if err := o.checkRounds(cmd, before, argv); err != nil {
			return err
		}
		return runRounds(cmd.Context(), s, o, argv)
	case dash < 0:
		if err := o.checkBundled(cmd, args); err != nil {
			return err
		}
		return runBundled(cmd.Context(), s, o, args)
	}
	if err := o.checkCommand(cmd, before, argv); err != nil {
		return err
	}
	return runCommand(s, o, argv)
}

func (o *runOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringSliceVar(&o.modes, "mode", []string{"processes", "threads"},
		"what workers are: processes, threads or processes,threads")
	f.IntVar(&o.rounds, "rounds", defaultRounds, "how often each workload runs in each mode, or each program")
	f.DurationVar(&o.duration, "duration", 0,
		"how long the workers of each trial work, such as 1s (default: the workload's own), or a watch takes\n"+
			"(default: until interrupted)")
	f.Int64Var(&o.operations, "operations", 0,
		"end trials after this many operations per worker instead of after a time")
	f.IntVar(&o.workers, "workers", 0,
		"number of workers, except in variants with a fixed number (default: the workload's own)")
	f.StringVar(&o.cores, "cores", "",
		"cores that workers may use, such as 0 or 0-3,8 (default: all that are allowed)")
	f.StringSliceVar(&o.phases, "phases", []string{phasePick, phaseSwitch},
		"phases of a switch to time: pick, switch, pick,switch or none; fewer phases slow each switch down less;\n"+
			"a watch of what runs times those of some switches, or of all, or none")
	f.IntVar(&o.tasks, "max-tasks", 0,
		"how many tasks of CMD can be watched at once (default: 240 a core, at least 1024 and at most 4096)")
	f.StringVarP(&o.output, "output", "o", "",
		"save the report to this file, or - for standard output (default slicetrace-<UTC time>.json)")
	f.StringVar(&o.record, "record", "",
		"also write every switch and wakeup on every core to this file, for export and report --html")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "show neither report nor progress; the report is saved")
	f.BoolVar(&o.keepRoot, "keep-root", false, "run the work as root instead of as the user who called sudo")
	f.BoolVar(&o.claims, "claims", false,
		"list the claims that a run decides and the workloads that each needs, and run nothing")
	o.watch.addFlags(cmd)
	o.flight.addFlags(cmd)
	o.repeat.addFlags(cmd)
	addFormat(cmd, &o.format)
	addVerbose(cmd, &o.verbose)
	o.prices.add(cmd)
	complete(cmd, "mode", []string{"processes", "threads"})
	complete(cmd, "phases", []string{phasePick, phaseSwitch, phaseAll, phaseNone})
}

// otherThanClaims names an argument or flag that is given with --claims, "" if there is none.
func otherThanClaims(cmd *cobra.Command, args []string) (other string) {
	if len(args) > 0 {
		return args[0]
	}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if f.Name != "claims" {
			other = "--" + f.Name
		}
	})
	return other
}

// checkFlags rejects flags that have no meaning whatever is run, and reads the prices.
func (o *runOptions) checkFlags(cmd *cobra.Command) error {
	err := errors.Join(o.checkPhases(), checkQuiet(cmd), o.watch.checkWhy(cmd), o.checkFlight(cmd))
	if err != nil {
		return err
	}
	return o.prices.read(o.format, !o.watch.asked() && cmd.ArgsLenAtDash() < 0)
}

// checkQuiet rejects --quiet together with a flag about how the report is shown.
func checkQuiet(cmd *cobra.Command) error {
	for _, how := range []string{"format", "verbose", "prices"} {
		if f := cmd.Flags(); f.Changed("quiet") && f.Changed(how) {
			return usagef("--quiet shows nothing, so --%s has no meaning with it: leave one of them out", how)
		}
	}
	return nil
}

func workloadNames() []string {
	var names []string
	for _, w := range workloads.Catalogue() {
		names = append(names, w.Name)
	}
	return names
}

// The values of --phases.
const (
	phasePick   = "pick"
	phaseSwitch = "switch"
	phaseAll    = "all" // both, and in a watch those of every switch
	phaseNone   = "none"
)

func (o *runOptions) checkPhases() error {
	switch {
	case slices.Equal(o.phases, []string{phaseNone}):
		return nil
	case slices.Equal(o.phases, []string{phaseAll}):
		if !o.watch.asked() {
			o.phases = []string{phasePick, phaseSwitch}
		}
		return nil
	}
	for i, p := range o.phases {
		if p != phasePick && p != phaseSwitch {
			return usagef("--phases %s: the phases are pick and switch, or all or none on their own",
				strings.Join(o.phases, ","))
		}
		if slices.Contains(o.phases[:i], p) {
			return usagef("--phases names %s twice", p)
		}
	}
	return nil
}

// open opens a collector for a run on the host.
func (o *runOptions) open(tasks int, host report.Host, rf *recordingFile) (*collector.Collector, error) {
	return openCollector(collector.Options{
		Tasks: tasks, Record: rf.forCollector(host),
		NoPick: !slices.Contains(o.phases, phasePick), NoSwitch: !slices.Contains(o.phases, phaseSwitch),
		Why: o.watch.stacks(),
	})
}

// bundledOnly returns the flags that have no meaning for a program after "--".
func bundledOnly() []string {
	return []string{"mode", "duration", "operations", "workers", "cores"}
}

// checkBundled rejects values that a plan would take for "use the default", but that the
// user has given.
func (o *runOptions) checkBundled(cmd *cobra.Command, names []string) error {
	given := cmd.Flags().Changed
	switch {
	case given("max-tasks"):
		return usagef("--max-tasks is for a program after --: leave it out for bundled workloads")
	case given("duration") && o.duration <= 0:
		return usagef("--duration %v: give more than 0, such as 1s", o.duration)
	case given("workers") && o.workers < 1:
		return usagef("--workers %d: give at least 1", o.workers)
	case given("operations") && o.operations < 1:
		return usagef("--operations %d: give at least 1", o.operations)
	}
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			return usagef("workload %s is named twice: name it once", name)
		}
	}
	return nil
}

func (o *runOptions) checkCommand(cmd *cobra.Command, before, argv []string) error {
	if len(before) > 0 {
		return usagef("workload %q before --: run either bundled workloads or a program", before[0])
	}
	if len(argv) == 0 {
		return usagef("no program after --: write slicetrace run -- CMD [ARG...]")
	}
	return o.checkProgram(cmd)
}

// checkProgram rejects flags that have no meaning for programs.
func (o *runOptions) checkProgram(cmd *cobra.Command) error {
	for _, name := range bundledOnly() {
		if cmd.Flags().Changed(name) {
			return usagef("--%s is for bundled workloads: leave it out where a program is run", name)
		}
	}
	if cmd.Flags().Changed("max-tasks") && (o.tasks < 1 || o.tasks > report.MaxTasks) {
		return usagef("--max-tasks %d: give a number from 1 to %d", o.tasks, report.MaxTasks)
	}
	return nil
}

// plan turns the flags into trials.
func (o *runOptions) plan(names []string, user *workloads.Credential) (workloads.Plan, error) {
	p := workloads.Plan{
		Rounds: o.rounds, Duration: o.duration, Operations: o.operations, Workers: o.workers, User: user,
	}
	if len(names) == 0 {
		names = workloadNames()
	}
	for _, name := range names {
		w, err := workloads.Find(name)
		if err != nil {
			return p, usagef("%w%s; a program goes after --: slicetrace run -- %s",
				err, hint(name, workloadNames()), name)
		}
		p.Workloads = append(p.Workloads, w)
	}
	for _, name := range o.modes {
		mode := workloads.Mode(name)
		if mode != workloads.Processes && mode != workloads.Threads {
			return p, usagef("--mode %q: the modes are processes and threads", name)
		}
		if slices.Contains(p.Modes, mode) {
			return p, usagef("--mode names %s twice", name)
		}
		p.Modes = append(p.Modes, mode)
	}
	cores, err := parseCores(o.cores)
	if err != nil {
		return p, usagef("--cores %q: %w", o.cores, err)
	}
	p.CPUs = trial.WorkloadCPUs(cores)
	if err := p.Validate(); err != nil {
		return p, &statusError{exitUsage, err}
	}
	return p, nil
}

// parseCores parses a list of cores such as "0-3,8", none of them twice. Of an empty list
// it returns nil.
func parseCores(list string) ([]sched.CPU, error) {
	cores, err := hostinfo.ParseCPUs(list)
	if err != nil {
		return nil, err
	}
	slices.Sort(cores)
	for i := 1; i < len(cores); i++ {
		if cores[i] == cores[i-1] {
			return nil, fmt.Errorf("core %d is named twice", cores[i])
		}
	}
	return cores, nil
}

// user returns the user that the work runs as: the one who called sudo, or nil for this
// process's own.
func (o *runOptions) user() *workloads.Credential {
	if o.keepRoot {
		return nil
	}
	return invokingUser().credential()
}

// environment returns the environment of the program: ours, except for the variables
// about the user that it runs as.
func (o *runOptions) environment() []string {
	if o.keepRoot {
		return o.inherited.Environ
	}
	return invokingUser().environment(o.inherited.Environ)
}

// outputName returns the name of the report's file.
func (o *runOptions) outputName(created time.Time) string {
	if o.output != "" {
		return o.output
	}
	return "slicetrace-" + created.UTC().Format("20060102T150405Z") + ".json"
}
