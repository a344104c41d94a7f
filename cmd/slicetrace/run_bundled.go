package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/collector/hostinfo"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/workloads"
)

// runBundled measures the bundled workloads.
func runBundled(ctx context.Context, s streams, o *runOptions, names []string) error {
	plan, err := o.plan(names, o.user())
	if err != nil {
		return err
	}
	r, name, err := o.startReport(s)
	if err != nil {
		return err
	}
	r.Setup = setupOf(plan)
	for _, w := range plan.Workloads {
		for _, missing := range w.Missing(len(r.Setup.CPUs)) {
			r.Warnings = append(r.Warnings, w.Name+" here: "+missing)
		}
	}
	interrupted := &interruption{messages: s.err}
	ctx, stop := interrupted.until(ctx, o.inherited.Ignored)
	defer stop()
	o.raisePending()
	whole, err := measure(ctx, s, o, plan, r)
	if err != nil {
		return err
	}
	if err := saveAndShow(s.out, s.err, o, name, r, func() { interrupted.saved.Store(true) }); err != nil {
		return err
	}
	if !whole {
		return o.incomplete(r)
	}
	return nil
}

// measure runs the plan and fills the report. It returns whether every trial is in it and the recording
// was saved, and an error if no trial is.
func measure(
	ctx context.Context, s streams, o *runOptions, plan workloads.Plan, r *report.Report,
) (whole bool, err error) {
	beganNS := collector.NowNS()
	trials := plan.Trials()
	most := 0
	for _, t := range trials {
		most = max(most, t.Workers)
	}
	rf, err := o.openRecording(s)
	if err != nil {
		return false, err
	}
	defer rf.abort()
	settings := hostinfo.WatchSettings(r.Host)
	// Twice as many, since a trial's workers may still be exiting when the next trial begins.
	c, err := o.open(2*most+16, r.Host, rf)
	if err != nil {
		return false, err
	}
	defer c.Close()
	if o.flight.asked() {
		defer rf.saveAtNotified(c)()
	}
	r.Settings = settings.Begin(c, rf != nil)
	if err := o.dropPrivileges(); err != nil {
		return false, err
	}
	var bar *progress
	if !o.quiet && understandsEscapes(s.err) {
		bar = newProgress(s.err, c, trials)
		defer bar.close()
	}
	observer := &trialObserver{collector: c, report: r, settings: settings, progress: bar, beganNS: beganNS}
	err = plan.Run(ctx, observer, observer.Failed)
	bar.close()
	if err := conclude(r, plan, err); err != nil {
		return false, err
	}
	rf.finish(c, r)
	saveMemory()
	finishReport(r, c, settings)
	return err == nil && len(r.Failed) == 0 && !rf.isMissing(), nil
}

// conclude keeps what was measured, whatever ended the plan; err is what plan.Run returned.
// It returns an error if nothing was measured. If the plan ended early, the trials of the
// unfinished round are dropped (unless it was the first), so that every variant has the same
// number of trials in each mode, except for those that failed.
func conclude(r *report.Report, plan workloads.Plan, err error) error {
	what, why := "interrupted", ""
	if err != nil && !errors.Is(err, context.Canceled) {
		what, why = "the run ended early", ": "+oneLine(err)
	}
	var ended *workloads.EndedError
	switch {
	case err != nil && !errors.As(err, &ended):
		return err
	case len(r.Trials) == 0 && len(r.Failed) > 0:
		f := r.Failed[0]
		return fmt.Errorf("run %s in %s: %s", f.Title(), f.Mode, f.Cause)
	case len(r.Trials) == 0 && why != "":
		return err
	case len(r.Trials) == 0:
		return errors.New("interrupted before the first trial had finished: nothing to report")
	}
	for _, f := range r.Failed {
		r.Warnings = append(r.Warnings, f.Sentence())
	}
	if ended == nil {
		return nil
	}
	finished := ended.Round - 1
	if finished == 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf(
			"%s%s: none of %d rounds finished; of the first, %d of %d trials did",
			what, why, plan.Rounds, len(r.Trials), len(plan.Trials())/plan.Rounds))
		return nil
	}
	keepFinished(r, what+why, finished, plan.Rounds)
	return nil
}

// keepFinished drops the trials of the round that did not finish, and says so.
func keepFinished(r *report.Report, ended string, finished, rounds int) {
	unfinished := func(t report.Trial) bool { return t.Round > finished }
	r.Trials = slices.DeleteFunc(r.Trials, unfinished)
	r.Untraced = slices.DeleteFunc(r.Untraced, unfinished)
	r.Warnings = append(r.Warnings, fmt.Sprintf("%s: %d of %d rounds finished and are kept", ended, finished, rounds))
}
