package render_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"unicode"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/findings"
	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/render"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/table"
	"github.com/slicetrace/slicetrace/report/view"
)

// FuzzText checks that any report that Decode accepts can be shown, without a panic and without a
// character that could control a terminal.
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
		findings.Compute(r)
		for _, detail := range []view.Detail{view.Long, view.Full} {
			shown = append(shown, text(t, r, render.TextOptions{Detail: detail})...)
		}
		checkPrintable(t, shown)
		checkCharacters(t, page(t, r, render.PageOptions{}))
		for _, name := range table.Names() {
			tab, err := table.Of(r, name)
			if err != nil {
				t.Fatal(err)
			}
			for _, out := range []render.TableWriter{render.NewCSV(io.Discard), render.NewParquet(io.Discard)} {
				if err := errors.Join(out.Table(tab), out.Close()); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

// FuzzPerfetto checks that any recording that the reader accepts is converted to complete packets,
// without a panic.
func FuzzPerfetto(f *testing.F) {
	var seed bytes.Buffer
	recorded(f, &seed, []recording.Task{{TID: 5, TGID: 5, Comm: "\xff"}}, pingPong(0, 3, 1e9),
		recording.Mark{Workload: "pipe"})
	f.Add(seed.Bytes())
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := recording.NewReader(bytes.NewReader(file))
		if err != nil {
			return
		}
		defer r.Close()
		var trace bytes.Buffer
		_ = render.Perfetto(&trace, r) // a damaged recording's whole frames are written too
		for rest := trace.Bytes(); len(rest) > 0; {
			number, kind, n := protowire.ConsumeField(rest)
			if n < 0 || number != 1 || kind != protowire.BytesType {
				t.Fatalf("%d bytes before the end: field %d of type %d, %v", len(rest), number, kind,
					protowire.ParseError(n))
			}
			rest = rest[n:]
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
