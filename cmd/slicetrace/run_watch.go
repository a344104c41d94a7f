package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/slicetrace/slicetrace/cmd/slicetrace/internal/screen"
	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/collector/hostinfo"
	"github.com/slicetrace/slicetrace/report"
)

// watchOptions are run's flags for what runs already, and those for stacks.
type watchOptions struct {
	all    bool
	filter watchFilter
	every  time.Duration
	why    bool
	block  time.Duration
	walks  int
}

func (o *watchOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&o.all, "all", false, "watch the whole running machine, instead of starting something")
	o.filter.addFlags(cmd)
	f.DurationVar(&o.every, "every", time.Second,
		"with --all, --pid, --cgroup, --comm or --uid: how long each interval takes")
	f.BoolVar(&o.why, "why", false,
		"say where tasks were when they were off their cores; of what runs already also\n"+
			"who took these, and who woke them")
	f.DurationVar(&o.block, "block", time.Millisecond,
		"with --why: how long a task must have been off its core; 0 is every time")
	f.IntVar(&o.walks, "walks", collector.DefaultWalks,
		"with --why: about how many stacks a second each core takes at most; they then stand for all")
}

// asked reports whether what runs already is to be watched.
func (o *watchOptions) asked() bool { return o.all || o.filter.given() }

// stacks says which stacks are taken, nil if none are.
func (o *watchOptions) stacks() *collector.WhyOptions {
	if !o.why {
		return nil
	}
	return &collector.WhyOptions{Block: o.block, Walks: o.walks, OnlyToldApart: len(o.filter.pids) > 0}
}

// fewestWalks is two in each tenth of a second, by which the kernel side counts.
const fewestWalks = 20

// checkWhy rejects what has no meaning for stacks.
func (o *watchOptions) checkWhy(cmd *cobra.Command) error {
	for _, name := range []string{"block", "walks"} {
		if cmd.Flags().Changed(name) && !o.why {
			return usagef("--%s is for --why: add that, or leave it out", name)
		}
	}
	switch {
	case o.walks < fewestWalks:
		return usagef("--walks %d: give at least %d", o.walks, fewestWalks)
	case o.block < 0:
		return usagef("--block %v: give 0 or more, such as 1ms", o.block)
	}
	return nil
}

// checkAlone rejects flags that only a watch has.
func (o *watchOptions) checkAlone(cmd *cobra.Command) error {
	for _, name := range []string{"every", "wait"} {
		if cmd.Flags().Changed(name) {
			return usagef("--%s is for --all, --pid, --cgroup, --comm or --uid: leave it out", name)
		}
	}
	return nil
}

// checkWatch rejects what has no meaning for a watch.
func (o *runOptions) checkWatch(cmd *cobra.Command, args []string) error {
	given := cmd.Flags().Changed
	if len(args) > 0 {
		return usagef("%q: nothing is started where --all, --pid, --cgroup, --comm or --uid watch what runs already",
			args[0])
	}
	for _, name := range append(slices.DeleteFunc(bundledOnly(), func(s string) bool { return s == "duration" }),
		append(roundsOnly(), "command", "rounds", "record", "keep-root")...) {
		if given(name) {
			return usagef("--%s has no meaning for a watch of what runs already: leave it out", name)
		}
	}
	switch {
	case o.watch.all && o.watch.filter.given():
		return usagef("--all is every task: leave it out, or the filter")
	case given("duration") && o.duration <= 0:
		return usagef("--duration %v: give more than 0, such as 30s", o.duration)
	case given("max-tasks") && (o.tasks < 1 || o.tasks > report.MaxTasks):
		return usagef("--max-tasks %d: give a number from 1 to %d", o.tasks, report.MaxTasks)
	}
	return errors.Join(checkInterval("every", o.watch.every), o.watch.filter.check())
}

// mostRows of tasks keep a report far below the size that report.Decode refuses: each takes some 400 bytes.
const mostRows = 400_000

// runWatch watches what runs already, and saves and shows it as a report. Each interval is a trial.
func runWatch(ctx context.Context, s streams, o *runOptions) error {
	r, name, err := o.startReport(s)
	if err != nil {
		return err
	}
	if err := o.watch.filter.find(); err != nil {
		return err
	}
	asked := o.watch.filter.asked()
	asked.EveryNS, asked.ForNS = o.watch.every.Nanoseconds(), o.duration.Nanoseconds()
	online, err := hostinfo.OnlineCPUs()
	if err != nil {
		return err
	}
	r.Setup = report.Setup{Modes: []report.Mode{report.SystemMode}, Rounds: 1, CPUs: online, Watch: asked}
	interrupted := &interruption{messages: s.err}
	ctx, stop := interrupted.until(ctx, o.inherited.Ignored)
	defer stop()
	if err := o.collect(ctx, r); err != nil {
		return err
	}
	return saveAndShow(s.out, s.err, o, name, r, func() { interrupted.saved.Store(true) })
}

// collect fills the report with intervals until the time is over or ctx is cancelled.
func (o *runOptions) collect(ctx context.Context, r *report.Report) (err error) {
	settings := hostinfo.WatchSettings(r.Host)
	l, err := openLive(collector.LiveOptions{Tasks: o.tasks, Why: o.watch.stacks()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	if err := o.watch.filter.begin(l); err != nil {
		return err
	}
	r.Settings = settings.Begin(l, false)
	all, none := slices.Equal(o.phases, []string{phaseAll}), slices.Equal(o.phases, []string{phaseNone})
	if all {
		if err := l.TimeAllPhases(); err != nil {
			return err
		}
	}
	if !none {
		if err := l.TimePhases(ctx, firstWindow); err != nil {
			return err
		}
	}
	if err := keepCapabilities(liveCapabilities(invokingUser() != nil)...); err != nil {
		return err
	}
	if _, err := l.Next(); err != nil { // what came before is not part of the report
		return err
	}
	intervals := 0
	if o.duration > 0 {
		intervals = int(max(1, (o.duration+o.watch.every/2)/o.watch.every))
	}
	w := newWatcher(l, &o.watch.filter, o.watch.every, !all && !none, intervals)
	rows := 0
	for {
		settings.Start(nil)
		t, err := w.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if over := (*screen.OverError)(nil); errors.As(err, &over) {
			r.Warnings = append(r.Warnings, fmt.Sprintf("the watch ended after %d intervals, since %v",
				len(r.Trials), over))
			break
		}
		if err != nil && len(r.Trials) > 0 {
			r.Warnings = append(r.Warnings, fmt.Sprintf("the watch ended early, after %d intervals: %s",
				len(r.Trials), oneLine(err)))
			break
		}
		if err != nil {
			return err
		}
		settings.Stop(t)
		if ctx.Err() != nil && t.DurationNS < o.watch.every.Nanoseconds()/2 && len(r.Trials) > 0 {
			break // the rest of an interval that was interrupted
		}
		r.Trials = append(r.Trials, *t)
		if rows += len(t.System.Tasks) + len(t.System.Ended); rows > mostRows {
			r.Warnings = append(r.Warnings, fmt.Sprintf("the watch ended after %d intervals, since a report with more"+
				" than %d rows of tasks could not be read again: watch fewer tasks, or give a longer --every",
				len(r.Trials), mostRows))
			break
		}
	}
	r.Setup.Rounds = len(r.Trials)
	r.Stacks, r.Frames = l.Stacks()
	r.KeepUsedStacks()
	finishWatch(r, l, settings)
	return nil
}

// finishWatch completes a report with what is known only at the end.
func finishWatch(r *report.Report, l *collector.Live, settings *hostinfo.SettingsWatch) {
	r.SettingsAtEnd = settings.End()
	r.Capture = l.Capture()
	misses, err := l.RecursionMisses()
	if err != nil {
		r.Warnings = append(r.Warnings, "how many calls of hooks the kernel skipped is not known: "+oneLine(err))
	}
	r.Quality.RecursionMisses, r.Quality.MostTasks = misses, l.MostTasks()
	r.ComputeQuality()
}
