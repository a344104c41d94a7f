package report_test

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/histogram"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

func TestStacksAreReadAsTheyWereWritten(t *testing.T) {
	r := reporttest.Stacks()
	got, err := report.Decode(bytes.NewReader(encode(t, r)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r, got, cmpopts.EquateComparable(histogram.Histogram{})); diff != "" {
		t.Errorf("it differs (-want +got):\n%s", diff)
	}
	bare := reporttest.Stacks()
	bare.Trials[0].Why.Waits, bare.Stacks = nil, append(bare.Stacks, nil)
	for _, r := range []*report.Report{r, bare, reporttest.HostileStacks()} {
		text := encode(t, r)
		if err := reporttest.CheckSchema(text); err != nil || bytes.Contains(text, []byte("null")) {
			t.Errorf("%v; %.300s", err, text)
		}
		alikeInAnyLayout(t, text)
	}
	if bare.Trials[0].Why.Waits != nil || bare.Stacks[len(bare.Stacks)-1] != nil {
		t.Error("writing a report has changed it")
	}
}

// What no run produces is refused, each time for its own reason.
func TestImpossibleStacksAreRefused(t *testing.T) {
	type change struct {
		says string
		do   func(*report.Report, *report.Why, *report.StackWait)
	}
	long := strings.Repeat("x", 1<<14+1)
	for _, c := range []change{
		{"functions on stacks", func(r *report.Report, _ *report.Why, _ *report.StackWait) {
			r.Frames = make([]report.Frame, 1<<20+1)
		}},
		{"stacks are more", func(r *report.Report, _ *report.Why, _ *report.StackWait) {
			r.Stacks = make([]report.Stack, 1<<20+1)
		}},
		{"functions are more", func(r *report.Report, _ *report.Why, _ *report.StackWait) {
			r.Stacks[1] = make(report.Stack, 1<<12+1)
		}},
		{"no function -1", func(r *report.Report, _ *report.Why, _ *report.StackWait) { r.Stacks[1][0] = -1 }},
		{"no function 999", func(r *report.Report, _ *report.Why, _ *report.StackWait) { r.Stacks[1][0] = 999 }},
		{"function 2", func(r *report.Report, _ *report.Why, _ *report.StackWait) { r.Frames[2].Function = long }},
		{"function 2", func(r *report.Report, _ *report.Why, _ *report.StackWait) { r.Frames[2].Unnamed = long }},
		{"function 2", func(r *report.Report, _ *report.Why, _ *report.StackWait) { r.Frames[2].Module = long }},
		{"function 2", func(r *report.Report, _ *report.Why, _ *report.StackWait) { r.Frames[2].File = long }},
		{"negative line", func(r *report.Report, _ *report.Why, _ *report.StackWait) { r.Frames[2].Line = -1 }},
		{"time of stacks", func(_ *report.Report, w *report.Why, _ *report.StackWait) { w.BlockNS = -1 }},
		{"time of stacks", func(_ *report.Report, w *report.Why, _ *report.StackWait) { w.WalkNS = -1 }},
		{"sums of stacks", func(_ *report.Report, w *report.Why, _ *report.StackWait) {
			w.Waits = make([]report.StackWait, 1<<20+1)
		}},
		{`state ""`, func(_ *report.Report, _ *report.Why, w *report.StackWait) { w.State = "" }},
		{`state "T"`, func(_ *report.Report, _ *report.Why, w *report.StackWait) { w.State = "T" }},
		{"no stack -1", func(_ *report.Report, _ *report.Why, w *report.StackWait) { w.Stack = -1 }},
		{"no stack 8", func(r *report.Report, _ *report.Why, w *report.StackWait) { w.Stack = len(r.Stacks) }},
		{"of a waker", func(_ *report.Report, _ *report.Why, w *report.StackWait) {
			w.Waker = &report.Waker{Stack: -2}
		}},
		{"of a waker", func(r *report.Report, _ *report.Why, w *report.StackWait) {
			w.Waker = &report.Waker{Stack: len(r.Stacks)}
		}},
		{"negative time", func(_ *report.Report, _ *report.Why, w *report.StackWait) { w.BlockedNS = -1 }},
		{"negative time", func(_ *report.Report, _ *report.Why, w *report.StackWait) { w.WaitNS = -1 }},
		{"negative time", func(_ *report.Report, _ *report.Why, w *report.StackWait) { w.ThrottledNS = -1 }},
		{"negative time", func(_ *report.Report, _ *report.Why, w *report.StackWait) { w.LongestNS = -1 }},
		{"was woken", func(_ *report.Report, _ *report.Why, w *report.StackWait) {
			w.State, w.BlockedNS, w.Waker = report.Runnable, 0, &report.Waker{PID: 1, Stack: -1}
		}},
		{"was asleep", func(_ *report.Report, _ *report.Why, w *report.StackWait) {
			w.State, w.BlockedNS, w.Waker = report.Runnable, 1, nil
		}},
		{"-0.5 returns", func(_ *report.Report, _ *report.Why, w *report.StackWait) { w.Times = -0.5 }},
		{"NaN returns", func(_ *report.Report, _ *report.Why, w *report.StackWait) { w.Times = math.NaN() }},
		{"Inf returns", func(_ *report.Report, _ *report.Why, w *report.StackWait) { w.Times = math.Inf(1) }},
	} {
		r := reporttest.Stacks()
		if err := r.Validate(); err != nil {
			t.Fatal(err)
		}
		r.Trials[1].Why.Waits = slices.Clone(r.Trials[1].Why.Waits)
		c.do(r, r.Trials[1].Why, &r.Trials[1].Why.Waits[1])
		if err := r.Validate(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("error is %v, want %q", err, c.says)
		}
	}
}

// Renumbering keeps what each trial refers to, also where waits share a waker.
func TestOnlyUsedStacksAreKept(t *testing.T) {
	r := reporttest.Stacks()
	folded := func() (all []string) {
		for i := range r.Trials {
			for _, w := range r.Trials[i].Why.Waits {
				all = append(all, r.Folded(w.Stack))
				if w.Waker != nil {
					all = append(all, r.Folded(w.Waker.Stack))
				}
			}
		}
		return all
	}
	r.Trials[0].Why.Waits = r.Trials[0].Why.Waits[1:4]
	want, stacks := folded(), len(r.Stacks)
	r.KeepUsedStacks()
	if diff := cmp.Diff(want, folded()); diff != "" {
		t.Errorf("stacks (-before +after):\n%s", diff)
	}
	if err := r.Validate(); err != nil || len(r.Stacks) >= stacks {
		t.Errorf("%d of %d stacks are left: %v", len(r.Stacks), stacks, err)
	}
}
