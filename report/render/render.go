// Package render puts a report into ink: text and pages for a reader, JSON, CSV and
// Parquet for programs, and a recording into what Perfetto shows. It computes
// nothing; every figure comes from packages view and table:
//
//	view.Summarize, Overview → Text
//	view.PageOf              → HTML
//	table.Of                 → CSV, Parquet
//	report.Report            → JSON
//	recording.Reader         → CSV, Parquet, Perfetto
//
// A compare.Comparison goes the same ways, its Summary also to Markdown.
//
// Names that tasks, users and machines gave themselves are hostile input, and
// each renderer makes them safe for its medium.
package render

import (
	"io"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/compare"
)

// JSON writes the whole report, histograms and all, in the form that
// report.Decode reads and report.JSONSchema describes.
func JSON(w io.Writer, r *report.Report) error {
	return report.Encode(w, r)
}

// ComparisonJSON writes a comparison as one line.
func ComparisonJSON(w io.Writer, c *compare.Comparison) error {
	return c.Encode(w)
}
