package view

import (
	"fmt"
	"slices"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/findings"
	"github.com/slicetrace/slicetrace/report/metric"
)

// choiceSection ends a report of bundled work: what to choose for what.
func choiceSection(r *report.Report) Section {
	s := Section{
		Title: "Processes or threads?",
		Caption: fmt.Sprintf("Ratio of operations a second (beside hogs: of mean waits), ± its 95 %% interval or with its ends. Neither: alike within %.0f %%. "+
			"All rows together at 5 %% (Holm). Undecided: more --rounds may tell.", 100*(findings.SameWithin-1)),
		Columns: []Column{textColumn("kind of work"), textColumn("workload"), textColumn("favours"), {Name: "by"}, textColumn("isolation costs")},
	}
	var g Group
	for _, f := range findings.Preferences(r) {
		favoured, by, price := preferenceWords(&f)
		g.Rows = append(g.Rows, Row{textCell(f.Work), textCell(f.Load.Title()), textCell(favoured), by, textCell(price)})
	}
	if row, ok := isolationRow(r); ok {
		g.Rows = append(g.Rows, row)
	}
	if len(g.Rows) > 0 {
		s.Groups = append(s.Groups, g)
	}
	return s
}

// isolationRow says what isolation buys: who outlives a crash. Of each mode it gives the
// round in which most died.
func isolationRow(r *report.Report) (row Row, ok bool) {
	f, ok := findings.CrashSurvival(r)
	if !ok {
		return nil, false
	}
	least := func(m report.Mode) report.Quantity {
		return report.Of(slices.Min(metric.Sample(metric.TrialsOf(r, f.Load, m), f.Metric).Values), report.Share)
	}
	p, t := least(report.Processes), least(report.Threads)
	favoured, by, price := "undecided", fmt.Sprintf("%s against %s live on", p, t), "not known"
	switch {
	case f.Decided && f.Mode == "":
		favoured, by, price = "neither", fmt.Sprintf("%s live on", p), "nothing measurable"
	case f.Mode == report.Threads:
		favoured, by = string(f.Mode), fmt.Sprintf("%s against %s live on", t, p)
		price = "what threads buy"
	case f.Mode == report.Processes:
		favoured, price = string(f.Mode), "what it buys"
	}
	return Row{textCell(f.Work), textCell(f.Load.Title()), textCell(favoured), textCell(by), textCell(price)}, true
}

// preferenceWords returns a preference's cells: the mode, by how much, and what isolation costs.
func preferenceWords(f *findings.Preference) (favoured string, by Cell, price string) {
	switch {
	case !f.Decided:
		return "undecided", textCell("~"), "not known"
	case f.Mode == "":
		return "neither", textCell("~"), "nothing measurable"
	}
	by = ratioCell(f.By)
	if f.Mode == report.Processes {
		return string(f.Mode), by, "nothing: it pays"
	}
	ratio := f.By.Center
	if f.Metric.Name == metric.Throughput().Name {
		return string(f.Mode), by, fmt.Sprintf("%s of the operations", report.Of(100*(1-1/ratio), report.Share))
	}
	return string(f.Mode), by, fmt.Sprintf("%s more waiting", report.Of(100*(ratio-1), report.Share))
}
