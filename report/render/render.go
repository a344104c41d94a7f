// Package render puts a report into ink: text for a reader, JSON and CSV for
// programs, and a recording into what Perfetto shows. It computes nothing; every
// figure comes from package report:
//
//	report.Report → Summarize → Text
//	report.Report → Page      → HTML
//	report.Report → Table     → CSV
//	report.Report             → JSON
//	recording.Reader          → Perfetto
//
// A report.Comparison goes the same ways, its Summary also to Markdown.
//
// Names that tasks, users and machines gave themselves are hostile input, and
// each renderer makes them safe for its medium.
package render

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/slicetrace/slicetrace/report"
)

// JSON writes the whole report, histograms and all, in the form that
// report.Decode reads and report.JSONSchema describes.
func JSON(w io.Writer, r *report.Report) error {
	return report.Encode(w, r)
}

// ComparisonJSON writes a comparison, indented: it is short enough to be read.
func ComparisonJSON(w io.Writer, c *report.Comparison) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	if err := out.Encode(c); err != nil {
		return fmt.Errorf("encode comparison: %w", err)
	}
	return nil
}
