package table

import (
	"math"

	"github.com/slicetrace/slicetrace/report"
)

// findingTable has one row per finding and figure; a finding without figures has one row. The
// figure that is the finding's effect has is_effect 1.
func findingTable(r *report.Report) Table {
	columns := columnList(`claim:text verdict:text workload:text variant:name mode:text figure:text unit:text
		median:decimal low:decimal high:decimal p:decimal n is_effect sentence:text reason:text`)
	return Table{Name: "findings", Columns: columns, Rows: func(yield func([]Field) bool) {
		for _, f := range r.Findings {
			figures := f.Figures
			if len(figures) == 0 {
				figures = []report.NamedFigure{{}}
			}
			for _, g := range figures {
				row := []Field{FreeText(f.Claim), FreeText(string(f.Verdict))}
				row = append(append(row, namedFigureFields(g)...), Whole(isEffect(&f, g)))
				if !yield(append(row, FreeText(f.Sentence), FreeText(f.Reason))) {
					return
				}
			}
		}
	}}
}

func isEffect(f *report.Finding, g report.NamedFigure) int {
	e := f.Effect
	if e != nil && e.Name == g.Name && e.Workload == g.Workload && e.Variant == g.Variant && e.Mode == g.Mode {
		return 1
	}
	return 0
}

// namedFigureFields returns the columns of a figure, which are absent for the zero figure.
func namedFigureFields(f report.NamedFigure) []Field {
	median, n, p := decimal(f.Median, f.N > 0), absent(), absent()
	if f.N > 0 {
		n = Whole(f.N)
	}
	if f.P != nil && !math.IsNaN(*f.P) && !math.IsInf(*f.P, 0) {
		p = probability(*f.P)
	}
	return []Field{
		FreeText(f.Workload), FreeText(f.Variant), FreeText(string(f.Mode)), FreeText(f.Name), FreeText(string(f.Unit)),
		median, optional(f.Low), optional(f.High), p, n,
	}
}
