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
	// LeftOut means that later rounds go on without this variant in this mode.
	LeftOut bool
}

// EndedError means that a plan ended before its last trial.
type EndedError struct {
	// Round is the first that was not finished.
	Round int
	cause error
}

func (e *EndedError) Error() string { return e.cause.Error() }

// Unwrap returns the cause: the error of the context, the error of a trial, or that a core
// is no longer available.
func (e *EndedError) Unwrap() error { return e.cause }

// A plan ends when giveUpTrials trials in a row, of the same or different variants, have
// failed and have taken giveUpAfter: if no trial works on a machine, it does not try all.
const (
	giveUpAfter  = time.Minute
	giveUpTrials = 3
)

// series are the trials of a plan that differ in nothing but their round.
type series struct {
	workload, variant string
	mode              Mode
}

// Run runs every trial in order and reports each to o. A trial that gives no result is
// reported to failed, and the plan goes on. Its variant in its mode is run again in the
// next round if it has worked before and this is its first failure, and left out
// otherwise. If failed is nil, the first failure ends the plan.
//
// Run returns an *EndedError if it has not run all other trials: because ctx has ended
// (then the current trial's hosts are killed), because a core of the plan is no longer
// available, or because three trials or more have failed in a row and taken a minute. The
// trials that had finished by then have been reported.
func (p Plan) Run(ctx context.Context, o Observer, failed func(Failure)) error {
	if err := p.Validate(); err != nil {
		return err
	}
	var h history
	for _, t := range p.Trials() {
		if h.leftOut(t) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return &EndedError{t.Round, err}
		}
		// Figures from other cores must not be compared with those measured so far.
		if err := checkCPUs(t.CPUs); err != nil {
			return &EndedError{t.Round, err}
		}
		began := time.Now()
		err := p.runRetryingIdle(ctx, t, o)
		if err == nil {
			h.worked(t)
			continue
		}
		cancelled := ctx.Err()
		if err == cancelled {
			return &EndedError{t.Round, err}
		}
		out := h.failed(t, time.Since(began))
		if failed == nil {
			return &EndedError{t.Round, err}
		}
		failed(Failure{Trial: t, Err: cause(err), LeftOut: out && t.Round < p.Rounds})
		switch {
		case cancelled != nil:
			return &EndedError{t.Round, cancelled}
		case h.givesUp():
			return &EndedError{t.Round, fmt.Errorf("no trial has worked for %v: "+
				"find out what hinders them, and run again", h.wasted.Round(time.Second))}
		}
	}
	return nil
}

// history is which trials of a plan have worked and failed so far.
type history struct {
	success  map[series]bool
	failures map[series]int
	// row is how many trials have failed since one worked, and wasted is how long they took.
	row    int
	wasted time.Duration
}

func (t Trial) series() series { return series{t.Workload, t.Variant, t.Mode} }

func (h *history) worked(t Trial) {
	if h.success == nil {
		h.success = make(map[series]bool)
	}
	h.success[t.series()], h.row, h.wasted = true, 0, 0
}

// failed notes a failure and reports whether the trial's series is left out from now on.
func (h *history) failed(t Trial, took time.Duration) bool {
	if h.failures == nil {
		h.failures = make(map[series]int)
	}
	h.failures[t.series()]++
	h.row++
	h.wasted += took
	return h.leftOut(t)
}

// givesUp reports whether so many trials have failed in a row that the plan ends.
func (h *history) givesUp() bool { return h.row >= giveUpTrials && h.wasted >= giveUpAfter }

// leftOut reports whether a trial's series is no longer tried: one that has worked may
// fail once by accident, one that never has cannot run here.
func (h *history) leftOut(t Trial) bool {
	n := h.failures[t.series()]
	return n > 1 || n == 1 && !h.success[t.series()]
}

// runRetryingIdle runs a trial, and runs it again if no worker completed an operation. That
// happens on virtual machines, which can stand still for a moment; the report has the
// number of attempts.
func (p Plan) runRetryingIdle(ctx context.Context, t Trial, o Observer) error {
	const attempts = 3
	for t.Attempt = 1; ; t.Attempt++ {
		err := Run(ctx, t, p.User, o)
		var idle *idleError
		if t.Attempt == attempts || !errors.As(err, &idle) {
			return err
		}
	}
}

// trialError adds the trial's name to its error.
type trialError struct {
	trial Trial
	err   error
}

func (e *trialError) Error() string {
	return fmt.Sprintf("run %s in %s: %v", e.trial.Name(), e.trial.Mode, e.err)
}

func (e *trialError) Unwrap() error { return e.err }

// cause returns a trial's error without the trial's name.
func cause(err error) error {
	var named *trialError
	if errors.As(err, &named) {
		return named.err
	}
	return err
}
