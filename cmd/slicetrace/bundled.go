package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/workloads"
)

// runBundled measures the bundled workloads.
func runBundled(ctx context.Context, s streams, o *runOptions, names []string) error {
	plan, err := o.plan(names, o.user())
	if err != nil {
		return err
	}
	r, name, err := o.begin()
	if err != nil {
		return err
	}
	r.Setup = setupOf(plan)
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	defer stop()
	// A second signal ends the program at once.
	context.AfterFunc(ctx, stop)
	if err := measure(ctx, s, o, plan, r); err != nil {
		return err
	}
	if err := deliver(s.out, s.err, o, name, r); err != nil {
		return err
	}
	if ctx.Err() != nil || r.Recording == nil && o.record != "" {
		return &statusError{status: exitFailed}
	}
	return nil
}

// measure runs the plan and fills the report. When ctx ends early the rounds
// that finished are kept; it is an error if none did.
func measure(ctx context.Context, s streams, o *runOptions, plan workloads.Plan, r *report.Report) error {
	trials := plan.Trials()
	most := 0
	for _, t := range trials {
		most = max(most, t.Workers)
	}
	tape, err := newTape(o.record)
	if err != nil {
		return err
	}
	defer tape.abort()
	// Twice, since a trial's workers can be about to exit when the next begins.
	c, err := o.open(2*most+16, r.Host, tape)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := o.dropPrivileges(); err != nil {
		return err
	}
	var bar *progress
	if !o.quiet && term.IsTerminal(int(s.err.Fd())) {
		bar = newProgress(s.err, c, trials)
		defer bar.close()
	}
	rec := &recorder{collector: c, report: r, progress: bar}
	err = plan.Run(ctx, rec)
	bar.close()
	if ctx.Err() == nil && err != nil {
		return err
	}
	if ctx.Err() != nil {
		if err := keepRounds(r, plan); err != nil {
			return err
		}
	}
	tape.finish(c, r)
	saveMemory()
	return seal(r, c)
}

// keepRounds drops the trials of the round that was interrupted, so that every
// variant of a workload has as many trials in each mode.
func keepRounds(r *report.Report, plan workloads.Plan) error {
	perRound := len(plan.Trials()) / plan.Rounds
	finished := len(r.Trials) / perRound
	if finished == 0 {
		return errors.New("interrupted before the first round had finished: nothing to report")
	}
	r.Trials = r.Trials[:finished*perRound]
	r.Warnings = append(r.Warnings, fmt.Sprintf("interrupted: %d of %d rounds finished and are kept", finished, plan.Rounds))
	return nil
}
