package render

import (
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/view"
)

func TestCell(t *testing.T) {
	ns, spread := report.Of(3610, report.Nanoseconds), report.Of(2, report.Percent)
	for want, c := range map[string]view.Cell{
		"–":              {},
		"pipe":           {Text: "pipe"},
		`\x1b[2J`:        {Text: "\x1b[2J"},
		"3.61 µs":        {Value: ns},
		"3.61 µs ±  2 %": {Value: ns, Spread: spread},
		"tick 2.0 %, a\\x07, 3.61 µs": {
			Parts: []view.Part{{Label: "tick", Value: spread}, {Label: "a\a"}, {Value: ns}},
		},
	} {
		if got := cell(c); got != want {
			t.Errorf("%+v is written %q, want %q", c, got, want)
		}
	}
}

func TestPrintableKeepsHonestNames(t *testing.T) {
	for _, s := range []string{"", "kworker/0:1H", "größe", "日本語", "a b", "💡", `C:\x`} {
		if got := Printable(s); got != s {
			t.Errorf("%q is written %q", s, got)
		}
	}
}
