package view

import (
	"strings"

	"github.com/slicetrace/slicetrace/report"
)

// mark shows a verdict in one character.
func mark(v report.Verdict) string {
	switch v {
	case report.Supported:
		return "✓"
	case report.Contradicted:
		return "✗"
	case report.Inconclusive:
		return "?"
	}
	return "–"
}

// findingSection lists the findings of all claims. If short is true it only names the claims that
// were not measured.
func findingSection(r *report.Report, short bool) Section {
	s := Section{
		Title: "Findings",
		Caption: "✓ supported, ✗ contradicted, ? inconclusive, – not measured on this machine. " +
			"Of two figures, the first is for processes.",
	}
	if short {
		s.Caption = "✓ supported, ✗ contradicted, ? inconclusive. Of two figures, the first is for processes."
	}
	var unmeasured []string
	for _, f := range r.Findings {
		if short && f.Verdict == report.NotMeasured {
			unmeasured = append(unmeasured, f.Claim)
			continue
		}
		s.Items = append(s.Items, Item{
			Mark: mark(f.Verdict), Name: f.Claim, Text: f.Sentence, Meaning: string(f.Verdict),
		})
	}
	if len(unmeasured) > 0 {
		list := strings.Join(unmeasured, ", ")
		s.Notes = []string{"Not measured: " + list + "; slicetrace report -vv says why."}
	}
	return s
}

// FindingSection shows one finding with the figures that decide it.
func FindingSection(f report.Finding) Section {
	s := Section{
		Title: "Findings",
		Items: []Item{{Mark: mark(f.Verdict), Name: f.Claim, Text: f.Sentence, Meaning: string(f.Verdict)}},
	}
	if len(f.Figures) == 0 {
		return s
	}
	s.Columns = []Column{textColumn("figure"), textColumn("of")}
	s.Columns = append(s.Columns, columns("median", "95 % interval", "rounds")...)
	var rows []Row
	for _, n := range f.Figures {
		of := report.WorkloadTitle(n.Workload, n.Variant)
		if n.Mode != "" {
			of += ", " + string(n.Mode)
		}
		interval := Cell{}
		if n.Low != nil && n.High != nil {
			interval = textCell(report.Of(*n.Low, n.Unit).String() + " to " + report.Of(*n.High, n.Unit).String())
		}
		rows = append(rows, Row{
			textCell(n.Name), textCell(of), valueCell(n.Quantity()), interval, valueCell(ofCount(n.N)),
		})
	}
	s.Groups = []Group{{Rows: rows}}
	return s
}
