//go:build linux

package workloads

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Failure is a trial that gave no result.
type Failure struct {
	Trial Trial
	// Err is the cause, without the trial's name.
	Err error
	// LeftOut says that the later rounds go on without this form in this mode.
	LeftOut bool
}

// EndedError says that a plan ended before its last trial.
type EndedError struct {
	// Round is the first that was not finished.
	Round int
	cause error
}

func (e *EndedError) Error() string { return e.cause.Error() }

// Unwrap returns the cause: the context's error, a failed trial's, or that cores are gone.
func (e *EndedError) Unwrap() error { return e.cause }

// A plan ends when so many trials have failed in a row, of different forms perhaps, and
// that took as long: a machine on which none works need not be waited for, form by form.
const (
	giveUpAfter  = time.Minute
	giveUpTrials = 3
)

// form is what has one trial in each round.
type form struct {
	workload, variant string
	mode              Mode
}

// Run runs every trial in order and reports each to o. A trial that gives no result is
// reported to failed, and the plan goes on: with its form in the next round if that
// has worked before and this is its first failure, else without it. If failed is nil the
// first failure ends the plan.
//
// The error is an *EndedError if trials were not run for another reason than such a
// failure of their own form: ctx has ended, of which the current trial's hosts are killed; a
// core of the plan's has gone; or nothing has worked for a minute and three trials. What had finished by
// then has been reported.
func (p Plan) Run(ctx context.Context, o Observer, failed func(Failure)) error {
	if err := p.Validate(); err != nil {
		return err
	}
	var tally tally
	for _, t := range p.Trials() {
		if tally.leftOut(t) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return &EndedError{t.Round, err}
		}
		// What other cores show is not to be compared with what came before.
		if err := checkCPUs(t.CPUs); err != nil {
			return &EndedError{t.Round, err}
		}
		began := time.Now()
		err := p.insist(ctx, t, o)
		if err == nil {
			tally.worked(t)
			continue
		}
		cancelled := ctx.Err()
		if err == cancelled {
			return &EndedError{t.Round, err}
		}
		out := tally.failed(t, time.Since(began))
		if failed == nil {
			return &EndedError{t.Round, err}
		}
		failed(Failure{Trial: t, Err: cause(err), LeftOut: out && t.Round < p.Rounds})
		switch {
		case cancelled != nil:
			return &EndedError{t.Round, cancelled}
		case tally.hopeless():
			return &EndedError{t.Round, fmt.Errorf("no trial has worked for %v: see what hinders them, and run again",
				tally.wasted.Round(time.Second))}
		}
	}
	return nil
}

// tally is what became of a plan's forms so far.
type tally struct {
	success  map[form]bool
	failures map[form]int
	// row is how many trials have failed since one worked, and wasted how long.
	row    int
	wasted time.Duration
}

func (t Trial) form() form { return form{t.Workload, t.Variant, t.Mode} }

func (y *tally) worked(t Trial) {
	if y.success == nil {
		y.success = make(map[form]bool)
	}
	y.success[t.form()], y.row, y.wasted = true, 0, 0
}

// failed notes a failure and says whether the form is left out from now on.
func (y *tally) failed(t Trial, took time.Duration) bool {
	if y.failures == nil {
		y.failures = make(map[form]int)
	}
	y.failures[t.form()]++
	y.row++
	y.wasted += took
	return y.leftOut(t)
}

// hopeless says whether nothing works any more.
func (y *tally) hopeless() bool { return y.row >= giveUpTrials && y.wasted >= giveUpAfter }

// leftOut says whether a form is not tried any more: what has worked may have met with
// an accident once, what never has cannot run here.
func (y *tally) leftOut(t Trial) bool {
	n := y.failures[t.form()]
	return n > 1 || n == 1 && !y.success[t.form()]
}

// insist runs a trial again if nobody did anything in it: on a machine that
// stands still for a moment, as virtual ones do, the next attempt succeeds.
func (p Plan) insist(ctx context.Context, t Trial, o Observer) error {
	const attempts = 3
	for t.Attempt = 1; ; t.Attempt++ {
		err := Run(ctx, t, p.User, o)
		var idle *idleError
		if t.Attempt == attempts || !errors.As(err, &idle) {
			return err
		}
	}
}

// trialError says what became of a trial.
type trialError struct {
	trial Trial
	err   error
}

func (e *trialError) Error() string {
	return fmt.Sprintf("run %s in %s: %v", e.trial.Name(), e.trial.Mode, e.err)
}

func (e *trialError) Unwrap() error { return e.err }

// cause is a trial's error without its name.
func cause(err error) error {
	var named *trialError
	if errors.As(err, &named) {
		return named.err
	}
	return err
}
