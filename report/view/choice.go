package view

import (
	"fmt"
	"slices"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/findings"
	"github.com/slicetrace/slicetrace/report/metric"
)

// choiceSection shows which mode is better for which kind of work.
func choiceSection(r *report.Report) Section {
	s := Section{
		Title: "Processes or threads?",
		Caption: fmt.Sprintf("Operations a second (on a busy core: mean waits), with the 95 %% interval of their "+
			"ratio. Neither: alike within %.0f %%. Undecided: more --rounds may tell. "+
			"Probability of any wrong row: 5 %% (Holm).", 100*(findings.SameWithin-1)),
		Columns: []Column{
			textColumn("kind of work"), textColumn("workload"), textColumn("better"), {Name: "processes ÷ threads"},
			textColumn("with processes"),
		},
	}
	var g Group
	for _, p := range findings.Preferences(r) {
		better, by, price := preferenceCells(&p)
		g.Rows = append(g.Rows, Row{textCell(p.Work), textCell(p.Load.Title()), textCell(better), by, textCell(price)})
	}
	if row, ok := crashRow(r); ok {
		g.Rows = append(g.Rows, row)
	}
	if len(g.Rows) > 0 {
		s.Groups = append(s.Groups, g)
	}
	return s
}

// crashRow shows how many workers survive a crash. For each mode it gives the round in which most
// of them died.
func crashRow(r *report.Report) (row Row, ok bool) {
	preference, ok := findings.CrashSurvival(r)
	if !ok {
		return nil, false
	}
	p, t := fewestSurvivors(r, report.Processes), fewestSurvivors(r, report.Threads)
	better, by, price := "undecided", fmt.Sprintf("%s and %s", p, t), "not known"
	switch {
	case preference.Decided && preference.Mode == "":
		better, by, price = "neither", fmt.Sprintf("%s and %s", p, t), "no difference"
	case preference.Mode == report.Threads:
		better, price = string(preference.Mode), "fewer survive"
	case preference.Mode == report.Processes:
		better, price = string(preference.Mode), "more survive"
	}
	return Row{
		textCell(preference.Work), textCell(preference.Load.Title()), textCell(better), textCell(by), textCell(price),
	}, true
}

// fewestSurvivors is how many workers survive the crash of another one, in the round in which most of
// them died.
func fewestSurvivors(r *report.Report, m report.Mode) report.Quantity {
	rounds := metric.Sample(metric.TrialsOf(r, metric.Load{Name: "crash"}, m), metric.Survivors())
	if len(rounds.Values) == 0 {
		return report.Quantity{Unit: report.Share}
	}
	return report.Of(slices.Min(rounds.Values), report.Share)
}

// preferenceCells returns the cells of a preference: the better mode, the ratio of the modes, and what
// is different with processes.
func preferenceCells(p *findings.Preference) (better string, by Cell, price string) {
	switch {
	case !p.Decided:
		return "undecided", textCell("~"), "not known"
	case p.Mode == "":
		return "neither", textCell("~"), "no difference"
	}
	of := "wait"
	if p.Metric.Name == metric.Throughput().Name {
		of = "operations"
	}
	return string(p.Mode), ratioCell(p.Ratio), report.Of(100*(p.Ratio.Center-1), report.Difference).String() + " " + of
}
