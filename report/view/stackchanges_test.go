package view_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/compare"
	"github.com/slicetrace/slicetrace/report/view"
)

// stackSection returns the section of stacks of a comparison.
func stackSection(t *testing.T, p compare.Pair, full bool) view.Section {
	t.Helper()
	for _, s := range view.SummarizeComparison(&compare.Comparison{Pairs: []compare.Pair{p}}, full).Sections {
		if strings.HasPrefix(s.Title, "Where tasks were off") {
			return s
		}
	}
	t.Fatal("no stacks are shown")
	return view.Section{}
}

// manyStacks are stacks of a kind, of which the later ones differ more.
func manyStacks(n int, state report.State, outcome compare.Outcome) (out []compare.Change) {
	for i := range n {
		percent := float64(i)
		out = append(out, compare.Change{
			State: state, Outcome: outcome, Percent: &percent, Unit: report.TimeRate,
			Frames: []report.Frame{{Function: fmt.Sprintf("%s%d", state, i)}},
			Old:    compare.Estimate{Median: 1e6}, New: compare.Estimate{Median: 1e6 * (1 + percent/100)},
		})
	}
	return out
}

// A few blocked and a few runnable stacks are shown, those that changed most, and it is said how many are not.
func TestStacksThatChangedMostAreShown(t *testing.T) {
	p := compare.Pair{Stacks: manyStacks(30, report.Sleeping, compare.Changed), StacksLeftOut: 1}
	p.Stacks = append(p.Stacks, manyStacks(12, report.Runnable, compare.Changed)...)
	p.Stacks = append(p.Stacks, manyStacks(5, report.Uninterruptible, compare.Alike)...)
	s := stackSection(t, p, false)
	const notes = "Of 47 stacks tested, 42 changed. 22 more stacks changed; --verbose shows all. " +
		"1 stack with less time was not compared."
	if got := strings.Join(s.Notes, " "); len(s.Groups) != 20 || got != notes {
		t.Fatalf("%d stacks are shown; %s", len(s.Groups), got)
	}
	for i, want := range map[int]string{0: "asleep S29", 9: "asleep S20", 10: "preempted R11", 19: "preempted R2"} {
		if got := s.Groups[i].Name + " " + s.Groups[i].Details[0]; got != want {
			t.Errorf("stack %d is %s, want %s", i, got, want)
		}
	}
	if s := stackSection(t, p, true); len(s.Groups) != 47 {
		t.Errorf("all are %d stacks", len(s.Groups))
	}
}

// If nothing shows which stacks changed, those that differ are shown. Equal ones never are.
func TestStacksThatDifferAreShown(t *testing.T) {
	p := compare.Pair{Stacks: manyStacks(3, report.Sleeping, compare.Untested)}
	if s := stackSection(t, p, false); len(s.Groups) != 2 || len(s.Notes) > 0 {
		t.Errorf("%d stacks are shown, %q", len(s.Groups), s.Notes)
	}
	for outcome, want := range map[compare.Outcome]string{
		compare.Untested: "No stack has a time that differs by 1 % or more.",
		compare.Alike:    "Of 1 stack tested, none has a time that stands out from chance.",
	} {
		p.Stacks = manyStacks(1, report.Sleeping, outcome)
		s := stackSection(t, p, false)
		if got := strings.Join(s.Notes, " "); len(s.Groups) > 0 || s.Caption != "" || got != want {
			t.Errorf("%d stacks are shown; %s", len(s.Groups), got)
		}
	}
}

// Stacks that may have changed are counted.
func TestUndecidedStacksAreCounted(t *testing.T) {
	p := compare.Pair{Stacks: manyStacks(1, report.Sleeping, compare.Changed)}
	p.Stacks = append(p.Stacks, manyStacks(2, report.Runnable, compare.Doubtful)...)
	p.Stacks = append(p.Stacks, manyStacks(1, report.Runnable, compare.Untested)...)
	s := stackSection(t, p, false)
	const notes = "Of 3 stacks tested, 1 changed. 2 more stacks have p ≤ 0.05 but may well be chance among so many, " +
		"those above all that some runs lack: more runs would tell. 1 stack was not tested, since some runs lack it."
	if got := strings.Join(s.Notes, " "); len(s.Groups) != 1 || got != notes {
		t.Errorf("%d stacks are shown; %s", len(s.Groups), got)
	}
}
