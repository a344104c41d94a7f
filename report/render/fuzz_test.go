package render_test

import (
	"bytes"
	"io"
	"testing"
	"unicode"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/render"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

// FuzzText holds that any report that Decode takes can be shown, without a
// panic and without a character that could steer a terminal.
func FuzzText(f *testing.F) {
	for _, seed := range reporttest.Tiny() {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := report.Decode(bytes.NewReader(data))
		if err != nil {
			return
		}
		shown := text(t, r, render.TextOptions{})
		r.ComputeFindings()
		shown = append(shown, text(t, r, render.TextOptions{Verbose: true})...)
		checkPrintable(t, shown)
		for _, name := range report.TableNames() {
			table, err := r.Table(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := render.CSV(io.Discard, table); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func checkPrintable(t *testing.T, shown []byte) {
	t.Helper()
	for _, c := range string(shown) {
		if c != '\n' && !unicode.IsPrint(c) {
			t.Fatalf("%q reaches the terminal", c)
		}
	}
}
