package view

import (
	"slices"

	"github.com/slicetrace/slicetrace/report"
)

// bundledModes returns the modes in which bundled workloads ran.
func bundledModes(r *report.Report) []report.Mode {
	var out []report.Mode
	for _, m := range []report.Mode{report.Processes, report.Threads} {
		if slices.ContainsFunc(r.Trials, func(t report.Trial) bool { return t.Mode == m }) {
			out = append(out, m)
		}
	}
	return out
}
