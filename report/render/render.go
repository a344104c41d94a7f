// Package render puts a report into ink: text for a reader, JSON, CSV and Parquet
// for programs. It computes nothing; every figure comes from package report:
//
//	report.Report → Summarize → Text
//	report.Report → Table     → CSV, Parquet
//	report.Report             → JSON
//	recording.Reader → RecordingTable → CSV, Parquet
//
// Names that tasks, users and machines gave themselves are hostile input, and
// each renderer makes them safe for its medium.
package render

import (
	"io"

	"github.com/slicetrace/slicetrace/report"
)

// JSON writes the whole report, histograms and all, in the form that
// report.Decode reads and report.JSONSchema describes.
func JSON(w io.Writer, r *report.Report) error {
	return report.Encode(w, r)
}
