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
		"say where tasks were when they were off their cores, who took these, and who woke\n"+
			"them")
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
		append(roundsOnly(), "command", "rounds", "keep-root")...) {
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
	whole, err := o.collect(ctx, s, r)
	if err != nil {
		return err
	}
	err = saveAndShow(s.out, s.err, o, name, r, func() { interrupted.saved.Store(true) })
	if err == nil && !whole {
		err = o.incomplete(r)
	}
	return err
}

// collect fills the report with intervals until the time is over or ctx is cancelled. It returns whether a
// recording that was asked for was saved.
func (o *runOptions) collect(ctx context.Context, s streams, r *report.Report) (whole bool, err error) {
	settings := hostinfo.WatchSettings(r.Host)
	l, err := openLive(collector.LiveOptions{Tasks: o.tasks, Why: o.watch.stacks()})
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	if err := o.watch.filter.begin(l); err != nil {
		return false, err
	}
	if !o.watch.filter.wait {
		if err := o.flight.findGroups(l); err != nil {
			return false, err
		}
	}
	rec, err := o.recordBeside(s, r, l)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, rec.close()) }()
	r.Settings = settings.Begin(l, rec.full != nil)
	all, none := slices.Equal(o.phases, []string{phaseAll}), slices.Equal(o.phases, []string{phaseNone})
	if all {
		if err := l.TimeAllPhases(); err != nil {
			return false, err
		}
	}
	if !none {
		if err := l.TimePhases(ctx, firstWindow); err != nil {
			return false, err
		}
	}
	if err := keepCapabilities(liveCapabilities(invokingUser() != nil)...); err != nil {
		return false, err
	}
	if _, err := l.Next(); err != nil { // what came before is not part of the report
		return false, err
	}
	intervals := 0
	if o.duration > 0 {
		intervals = int(max(1, (o.duration+o.watch.every/2)/o.watch.every))
	}
	w := newWatcher(l, &o.watch.filter, o.watch.every, !all && !none, intervals)
	if err := o.takeIntervals(ctx, r, w, settings, rec); err != nil {
		return false, err
	}
	rec.finish(r)
	r.Setup.Rounds = len(r.Trials)
	r.Stacks, r.Frames = l.Stacks()
	r.KeepUsedStacks()
	finishWatch(r, l, settings)
	return !rec.file.isMissing(), nil
}

// takeIntervals adds intervals to the report until the watch ends. The error is why there is none.
func (o *runOptions) takeIntervals(
	ctx context.Context, r *report.Report, w *watcher, settings *hostinfo.SettingsWatch, rec *watchRecorder,
) error {
	ctx, stop := rec.until(ctx)
	defer stop()
	rows := reportRows{most: mostRows, dropOldest: o.flight.asked()}
	for {
		settings.Start(nil)
		t, err := w.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if over := (*screen.OverError)(nil); errors.As(err, &over) {
			r.Warnings = append(r.Warnings, fmt.Sprintf("the watch ended after %d intervals, since %v",
				w.number, over))
			break
		}
		if err != nil && len(r.Trials) > 0 {
			r.Warnings = append(r.Warnings, fmt.Sprintf("the watch ended early, after %d intervals: %s",
				w.number, oneLine(err)))
			break
		}
		if err != nil {
			return err
		}
		settings.Stop(t)
		if ctx.Err() != nil && t.DurationNS < o.watch.every.Nanoseconds()/2 && len(r.Trials) > 0 {
			break // the rest of an interval that was interrupted
		}
		if err := rec.mark(t, w.beganNS); err != nil {
			r.Warnings = append(r.Warnings, fmt.Sprintf("interval %d is not marked in the recording: %s",
				t.Round, oneLine(err)))
		}
		if r.Trials = append(r.Trials, *t); !rows.fit(r) {
			break
		}
	}
	rows.say(r)
	return nil
}

// reportRows bounds the rows of tasks in a report.
type reportRows struct {
	most, now  int
	dropOldest bool // a watch that waits for something goes on, and its report has its end
	dropped    int  // intervals
}

// fit counts the rows of the last interval. It returns false if the watch must end.
func (b *reportRows) fit(r *report.Report) bool {
	of := func(t *report.Trial) int { return len(t.System.Tasks) + len(t.System.Ended) }
	b.now += of(&r.Trials[len(r.Trials)-1])
	if b.now > b.most && !b.dropOldest {
		r.Warnings = append(r.Warnings, fmt.Sprintf("the watch ended after %d intervals, since a report with more"+
			" than %d rows of tasks could not be read again: watch fewer tasks, or give a longer --every",
			len(r.Trials), b.most))
		return false
	}
	for b.now > b.most && len(r.Trials) > 1 {
		b.now -= of(&r.Trials[0])
		r.Trials = slices.Delete(r.Trials, 0, 1)
		b.dropped++
	}
	return true
}

// say tells what the report lacks.
func (b *reportRows) say(r *report.Report) {
	if b.dropped > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("the first %d intervals are not part of the report, which has at"+
			" most %d rows of tasks: a longer --every makes room for a longer time", b.dropped, b.most))
	}
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
