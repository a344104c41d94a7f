// Package render draws reports: text and pages for people, JSON, CSV and Parquet for programs, and
// recordings as Perfetto traces. It computes nothing; every figure comes from packages view and
// table:
//
//	view.Summarize, Overview → Text
//	view.PageOf              → HTML
//	table.Of                 → CSV, Parquet
//	report.Report            → JSON
//	recording.Reader         → CSV, Parquet, Perfetto
//
// A compare.Comparison is drawn in the same ways, and its Summary also as Markdown.
//
// Names that tasks, users and machines gave themselves are hostile input. Each renderer makes them
// safe for its medium.
package render

import (
	"io"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/compare"
)

// JSON writes the whole report, including its histograms, in the form that report.Decode reads and
// report.JSONSchema describes.
func JSON(w io.Writer, r *report.Report) error {
	return report.Encode(w, r)
}

// ComparisonJSON writes a comparison as one line of JSON.
func ComparisonJSON(w io.Writer, c *compare.Comparison) error {
	return c.Encode(w)
}
