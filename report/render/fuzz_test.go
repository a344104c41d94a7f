package render_test

import (
	"bytes"
	"errors"
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
		for _, c := range string(shown) {
			if c != '\n' && !unicode.IsPrint(c) {
				t.Fatalf("%q reaches the terminal", c)
			}
		}
		for _, name := range report.TableNames() {
			table, err := r.Table(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, out := range []render.TableWriter{render.NewCSV(io.Discard), render.NewParquet(io.Discard)} {
				if err := errors.Join(out.Table(table), out.Close()); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}
