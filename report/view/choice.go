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
		Caption: fmt.Sprintf("Ratio of operations a second (on a busy core: of mean waits) with its 95 %% interval. "+
			"Neither: alike within %.0f %%. Undecided: more --rounds may tell. "+
			"Probability of any wrong row: 5 %% (Holm).", 100*(findings.SameWithin-1)),
		Columns: []Column{
			textColumn("kind of work"), textColumn("workload"), textColumn("better"), {Name: "by how much"},
			textColumn("processes cost"),
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
	least := func(m report.Mode) report.Quantity {
		rounds := metric.Sample(metric.TrialsOf(r, preference.Load, m), preference.Metric)
		return report.Of(slices.Min(rounds.Values), report.Share)
	}
	p, t := least(report.Processes), least(report.Threads)
	better, by, price := "undecided", fmt.Sprintf("%s against %s survive", p, t), "not known"
	switch {
	case preference.Decided && preference.Mode == "":
		better, by, price = "neither", fmt.Sprintf("%s survive", p), "nothing measurable"
	case preference.Mode == report.Threads:
		better, by = string(preference.Mode), fmt.Sprintf("%s against %s survive", t, p)
		price = "more workers"
	case preference.Mode == report.Processes:
		better, price = string(preference.Mode), "nothing"
	}
	return Row{
		textCell(preference.Work), textCell(preference.Load.Title()), textCell(better), textCell(by), textCell(price),
	}, true
}

// preferenceCells returns the cells of a preference: the better mode, by how much it is better, and
// what processes cost compared with threads.
func preferenceCells(p *findings.Preference) (better string, by Cell, price string) {
	switch {
	case !p.Decided:
		return "undecided", textCell("~"), "not known"
	case p.Mode == "":
		return "neither", textCell("~"), "nothing measurable"
	}
	by = ratioCell(p.By)
	if p.Mode == report.Processes {
		return string(p.Mode), by, "nothing"
	}
	ratio := p.By.Center
	if p.Metric.Name == metric.Throughput().Name {
		return string(p.Mode), by, fmt.Sprintf("%s of the operations", report.Of(100*(1-1/ratio), report.Share))
	}
	return string(p.Mode), by, fmt.Sprintf("%s more waiting", report.Of(100*(ratio-1), report.Share))
}
