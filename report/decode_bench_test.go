package report_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

// BenchmarkDecode reads the report of a default run on two cores.
func BenchmarkDecode(b *testing.B) {
	data := encode(b, reporttest.Full(12, 2))
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := report.Decode(bytes.NewReader(data)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEncode writes the same.
func BenchmarkEncode(b *testing.B) {
	r := reporttest.Full(12, 2)
	b.ReportAllocs()
	for b.Loop() {
		if err := report.Encode(io.Discard, r); err != nil {
			b.Fatal(err)
		}
	}
}
