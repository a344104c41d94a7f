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

// findingSection lists what was found of each claim. A brief one leaves out the
// claims that were not measured, but names them.
func findingSection(r *report.Report, brief bool) Section {
	s := Section{
		Title:   "Findings",
		Caption: "✓ supported, ✗ contradicted, ? inconclusive on this machine, – not measured. Of two figures, processes' come first.",
	}
	if brief {
		s.Caption = "✓ supported, ✗ contradicted, ? inconclusive on this machine. Of two figures, processes' come first."
	}
	var unmeasured []string
	for _, f := range r.Findings {
		if brief && f.Verdict == report.NotMeasured {
			unmeasured = append(unmeasured, f.Claim)
			continue
		}
		s.Items = append(s.Items, Item{Mark: mark(f.Verdict), Name: f.Claim, Text: f.Sentence, Meaning: string(f.Verdict)})
	}
	if len(unmeasured) > 0 {
		s.Notes = []string{"Not measured: " + strings.Join(unmeasured, ", ") + ". With --verbose, slicetrace report says why."}
	}
	return s
}
