package render

import (
	"math"
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/view"
)

// Any figures yield an axis with a few ticks, and positions on it.
func TestPlotOfAnyFigures(t *testing.T) {
	for _, values := range [][]float64{
		{1}, {380, 400}, {250, 3200}, {1, 1e12}, {math.SmallestNonzeroFloat64, math.MaxFloat64}, {math.MaxFloat64},
		{math.SmallestNonzeroFloat64},
	} {
		for _, ratio := range []bool{false, true} {
			c := &view.Chart{Series: []string{"a"}, Ratio: ratio}
			for _, v := range values {
				q := report.Of(v, report.Nanoseconds)
				c.Rows = append(c.Rows, view.ChartRow{
					Points: []view.Point{{Value: q, Low: report.Of(-v, report.Nanoseconds), High: q}},
				})
			}
			p := newPlot(c)
			if len(p.Ticks) > 30 {
				t.Errorf("%v: %d ticks", values, len(p.Ticks))
			}
			for _, r := range p.Rows {
				for _, m := range r.Marks {
					if m.At == "NaN%" || m.From == "NaN%" {
						t.Errorf("%v: a mark at %s from %s", values, m.At, m.From)
					}
				}
			}
		}
	}
}

func TestTidy(t *testing.T) {
	for text, want := range map[string]string{
		"1.00 µs": "1 µs", "500 ns": "500 ns", "1.50 ms": "1.5 ms", "0.10": "0.1", "1.00": "1", "10 000 s": "10 000 s",
	} {
		if got := tidy(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
