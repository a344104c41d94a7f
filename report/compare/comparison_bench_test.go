package compare_test

import (
	"testing"

	"github.com/slicetrace/slicetrace/report/compare"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/view"
)

// BenchmarkCompare compares the reports of two default runs on two cores, in the short form and in
// full.
func BenchmarkCompare(b *testing.B) {
	old := []compare.Input{{Name: "old", Report: reporttest.Full(12, 2)}}
	others := [][]compare.Input{{{Name: "new", Report: reporttest.Full(12, 2)}}}
	for name, opts := range map[string]compare.Options{"overview": {}, "full": {Cores: true}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c, err := compare.Reports(old, others, opts)
				if err != nil {
					b.Fatal(err)
				}
				view.SummarizeComparison(c, opts.Cores)
			}
		})
	}
}
