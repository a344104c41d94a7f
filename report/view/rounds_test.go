package view

import (
	"math"
	"testing"
)

// An interval reaches as far from a centre below zero as from one above.
func TestSpread(t *testing.T) {
	for _, c := range []struct {
		center, low, high float64
		want              string
	}{
		{100, 90, 105, "10.0 %"},
		{100, 95, 110, "10.0 %"},
		{-100, -105, -90, "10.0 %"},
		{-100, -110, -95, "10.0 %"},
		{-100, -100, 100, "200.0 %"},
		{100, -100, 100, "200.0 %"},
		{-100, -100, -100, "0 %"},
		{0, -1, 1, "–"},
		{-100, math.Inf(-1), math.Inf(1), "–"},
	} {
		if got := spread(c.center, c.low, c.high).String(); got != c.want {
			t.Errorf("%v to %v around %v is ±%s, want %s", c.low, c.high, c.center, got, c.want)
		}
	}
}

// What is told apart by the test, but has no ratio, shows a p-value alone.
func TestNegativeFiguresAreComparedWithoutRatio(t *testing.T) {
	var a, b rounds
	for i := range 12 {
		a.values, a.round = append(a.values, -1000-float64(i)), append(a.round, i)
		b.values, b.round = append(b.values, 2000+float64(i)), append(b.round, i)
	}
	cells := compareCells(a, b, map[string]bool{})
	if got := cells[0].Value.Known || cells[0].Text != ""; got || cells[1].Value.String() != "<0.001" {
		t.Errorf("ratio %+v, p %+v", cells[0], cells[1])
	}
	cell := a.cell(map[string]bool{})
	if cell.Spread.Value < 0 || cell.Value.Value >= 0 {
		t.Errorf("the cell is %+v", cell)
	}
}
