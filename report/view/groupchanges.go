package view

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/slicetrace/slicetrace/report/compare"
)

// groupChangeSection shows the control groups of a watched system that changed. If nothing shows
// whether any did, it shows the time on cores and the waits of those with the most.
func groupChangeSection(p *compare.Pair, of string, full bool) Section {
	tested := slices.ContainsFunc(p.Groups, func(c compare.Change) bool { return c.Outcome != compare.Untested })
	busiest := busiestGroups(p)
	shown := 0
	s := changeTable("Groups"+of, p.Groups, func(c *compare.Change) bool {
		few := c.Metric == "on_cpu" || c.Metric == "wait_mean"
		show := full || c.Outcome == compare.Changed || !tested && few && busiest[c.Variant]
		if show {
			shown++
		}
		return show
	})
	s.Caption = "Control groups that all runs have, without the groups below them. " +
		"On_cpu is in percent of one core. The figures are decided apart from those of the whole system."
	if shown == 0 {
		s.Caption = ""
		s.Notes = append(s.Notes, "No figure of a control group stands out from chance.")
	}
	if n := len(p.Groups) - shown; n > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("--verbose shows %d more figures.", n))
	}
	return s
}

// busiestGroups returns the groups that had the most time on cores.
func busiestGroups(p *compare.Pair) map[string]bool {
	var onCPU []compare.Change
	for _, c := range p.Groups {
		if c.Metric == "on_cpu" {
			onCPU = append(onCPU, c)
		}
	}
	slices.SortStableFunc(onCPU, func(a, b compare.Change) int {
		return cmp.Compare(max(b.Old.Median, b.New.Median), max(a.Old.Median, a.New.Median))
	})
	out := map[string]bool{}
	for _, c := range onCPU[:min(len(onCPU), fewGroups)] {
		out[c.Variant] = true
	}
	return out
}
