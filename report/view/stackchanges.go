package view

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/compare"
	"github.com/slicetrace/slicetrace/report/internal/words"
)

// stackChangeSection shows the stacks at which tasks of a watched system were off their cores for another
// time than before: those that changed most. If nothing shows whether any did, it shows those that differ.
func stackChangeSection(p *compare.Pair, of string, full bool) Section {
	s := Section{
		Title: "Where tasks were off their cores" + of, Apart: true, Columns: changeColumns(),
		Caption: "Time at a stack in each second that was watched, of all tasks together: blocked is asleep, " +
			"runnable without a core though not asleep. Stacks are the same if the names of their functions are. " +
			"In a stack, a ← b means that b called a. The figures are decided apart from all others.",
	}
	outcomes := map[compare.Outcome]int{}
	for i := range p.Stacks {
		outcomes[p.Stacks[i].Outcome]++
	}
	count := len(p.Stacks) - outcomes[compare.Untested]
	tested := count > 0
	changed := changedStacks(p, tested)
	shown, left := p.Stacks, 0
	if !full {
		shown, left = mostChanged(changed)
	}
	for i := range shown {
		c := &shown[i]
		s.Groups = append(s.Groups, Group{
			Name: stateInWords(&report.StackWait{State: c.State}), Details: []string{stackText(c.Frames, full)},
			Rows: []Row{changeRow(c)},
		})
	}
	if len(shown) == 0 {
		s.Caption = ""
	}
	switch {
	case tested && len(changed) == 0:
		s.Notes = append(s.Notes, fmt.Sprintf("Of %s tested, none has a time that stands out from chance.",
			words.Plural(count, "stack")))
	case tested:
		s.Notes = append(s.Notes, fmt.Sprintf("Of %s tested, %d changed.", words.Plural(count, "stack"), len(changed)))
	case len(changed) == 0:
		s.Notes = append(s.Notes,
			fmt.Sprintf("No stack has a time that differs by %d %% or more.", compare.LeastChange))
	}
	if left > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("%s %s; --verbose shows all.", words.Plural(left, "more stack"),
			words.Choose(tested, "changed", words.Choose(left == 1, "differs", "differ"))))
	}
	s.Notes = append(s.Notes, undecidedStacks(outcomes, tested)...)
	if n := p.StacksLeftOut; n > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("%s with less time %s not compared.", words.Plural(n, "stack"),
			words.Choose(n == 1, "was", "were")))
	}
	return s
}

// undecidedStacks says how many stacks may have changed, if any was tested.
func undecidedStacks(outcomes map[compare.Outcome]int, tested bool) (notes []string) {
	if n := outcomes[compare.Doubtful]; n > 0 {
		notes = append(notes, fmt.Sprintf("%s p ≤ 0.05 but may well be chance among so many, those above all that "+
			"some runs lack: more runs would tell.",
			words.Plural(n, "more stack")+words.Choose(n == 1, " has", " have")))
	}
	if n := outcomes[compare.Untested]; n > 0 && tested {
		notes = append(notes, fmt.Sprintf("%s not tested, since some runs lack %s.",
			words.Plural(n, "stack")+words.Choose(n == 1, " was", " were"), words.Choose(n == 1, "it", "them")))
	}
	return notes
}

// changedStacks returns the stacks that changed or, if none was tested, those that differ at all.
func changedStacks(p *compare.Pair, tested bool) []compare.Change {
	var out []compare.Change
	for _, c := range p.Stacks {
		if c.Outcome == compare.Changed || !tested && math.Abs(c.Size()) >= compare.LeastChange {
			out = append(out, c)
		}
	}
	return out
}

// mostChanged returns the few blocked and the few runnable stacks whose time changed most, and how many
// others there are.
func mostChanged(changed []compare.Change) (shown []compare.Change, left int) {
	for _, runnable := range []bool{false, true} {
		var list []compare.Change
		for _, c := range changed {
			if (c.State == report.Runnable) == runnable {
				list = append(list, c)
			}
		}
		by := func(c compare.Change) float64 { return math.Abs(c.New.Median - c.Old.Median) }
		slices.SortStableFunc(list, func(a, b compare.Change) int { return cmp.Compare(by(b), by(a)) })
		few := list[:min(len(list), fewStacks)]
		shown, left = append(shown, few...), left+len(list)-len(few)
	}
	return shown, left
}

// stackText writes a stack in one line.
func stackText(frames []report.Frame, full bool) string {
	s := stacks{report: &report.Report{Frames: frames}, full: full}
	all := make([]int, len(frames))
	for i := range all {
		all[i] = i
	}
	return s.stack(all)
}
