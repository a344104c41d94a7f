package report_test

import (
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

// BenchmarkCompare compares the reports of two default runs on two cores, as
// for a reader and in full.
func BenchmarkCompare(b *testing.B) {
	old := []report.Named{{Name: "old", Report: reporttest.Full(12, 2)}}
	others := [][]report.Named{{{Name: "new", Report: reporttest.Full(12, 2)}}}
	for name, opts := range map[string]report.CompareOptions{"overview": {}, "full": {Cores: true}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c, err := report.Compare(old, others, opts)
				if err != nil {
					b.Fatal(err)
				}
				c.Summarize(opts.Cores)
			}
		})
	}
}
