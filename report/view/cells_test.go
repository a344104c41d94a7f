package view

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/slicetrace/slicetrace/report/metric"
)

// Ratio, interval and ~ never contradict each other, whatever the figures are: tied, coarse, far
// apart, with missing or empty rounds.
func TestThePairedIntervalAgreesWithTheTest(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 1))
	seen := map[bool]int{}
	for range 20_000 {
		var a, b metric.Rounds
		step := []float64{0, 0.01, 0.5}[random.IntN(3)] // 0: as fine as numbers are
		shift := 0.05 * random.Float64()
		for round := range 4 + random.IntN(50) {
			pace := random.NormFloat64()
			figure := func(shift float64) float64 {
				x := math.Exp(pace + shift + 0.05*random.NormFloat64())
				if step > 0 {
					x = step * math.Round(x/step)
				}
				return x
			}
			a.Values, a.Round = append(a.Values, figure(shift)), append(a.Round, round)
			if random.IntN(20) > 0 {
				b.Values, b.Round = append(b.Values, figure(0)), append(b.Round, round)
			}
		}
		d := metric.Compare(a, b)
		if d.N == 0 {
			continue
		}
		seen[d.Significant()]++
		if outside := d.Low > 1 || d.High < 1; outside != d.Significant() {
			t.Fatalf("%v and %v: interval %g to %g, p = %g", a.Values, b.Values, d.Low, d.High, d.P)
		}
		if d.Known && (d.Center < d.Low || d.Center > d.High) {
			t.Fatalf("%v and %v: %g is not from %g to %g", a.Values, b.Values, d.Center, d.Low, d.High)
		}
		if text := compareCells(a, b, map[string]bool{})[0].Text; (text == "~") == d.Significant() {
			t.Fatalf("%v and %v: significant %v, shown %q", a.Values, b.Values, d.Significant(), text)
		}
	}
	if min(seen[true], seen[false]) < 1000 {
		t.Errorf("outcomes are %v", seen)
	}
}

// An interval reaches as far from a negative centre as from a positive one.
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

// Figures that differ significantly but have no ratio only show a p-value.
func TestNegativeFiguresAreComparedWithoutRatio(t *testing.T) {
	var a, b metric.Rounds
	for i := range 12 {
		a.Values, a.Round = append(a.Values, -1000-float64(i)), append(a.Round, i)
		b.Values, b.Round = append(b.Values, 2000+float64(i)), append(b.Round, i)
	}
	cells := compareCells(a, b, map[string]bool{})
	if got := cells[0].Value.Known || cells[0].Text != ""; got || cells[1].Value.String() != "<0.001" {
		t.Errorf("ratio %+v, p %+v", cells[0], cells[1])
	}
	cell := medianCell(a, map[string]bool{})
	if cell.Spread.Value < 0 || cell.Value.Value >= 0 {
		t.Errorf("the cell is %+v", cell)
	}
}
