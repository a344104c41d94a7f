package view

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/perf/benchmath"

	"github.com/slicetrace/slicetrace/report"
)

// roundsOf are the values of rounds 1, 2, ….
func roundsOf(values ...float64) rounds {
	s := rounds{unit: report.Nanoseconds, values: values}
	for i := range values {
		s.round = append(s.round, i+1)
	}
	return s
}

// A ratio is of figures that have one: a difference of two times, which can be
// negative, is not "-0.5 times" another.
func TestRatiosOfRounds(t *testing.T) {
	inf := math.Inf(1)
	for name, c := range map[string]struct {
		a, b              rounds
		n                 int
		center, low, high float64
		known, bounded    bool
	}{
		"six rounds": {roundsOf(2, 2, 2, 2, 2, 8), roundsOf(1, 1, 1, 1, 1, 1), 6, 2, 2, 8, true, true},
		// Of five, no test at 5 % can say anything.
		"five rounds":          {roundsOf(2, 2, 2, 2, 2), roundsOf(1, 1, 1, 1, 1), 5, 2, 0, inf, true, false},
		"one round":            {roundsOf(3), roundsOf(2), 1, 1.5, 0, inf, true, false},
		"none in common":       {roundsOf(3), rounds{values: []float64{2}, round: []int{7}}, 0, 0, 0, 0, false, false},
		"rounds are missing":   {roundsOf(2, 3, 4), rounds{values: []float64{1, 2}, round: []int{2, 3}}, 2, math.Sqrt(6), 0, inf, true, false},
		"nothing":              {roundsOf(0, 0, 0, 0, 0, 0), roundsOf(1, 1, 1, 1, 1, 1), 6, 0, 0, 0, true, true},
		"nothing twice":        {roundsOf(0, 0, 0, 0, 0, 0), roundsOf(0, 0, 0, 0, 0, 0), 6, 1, 1, 1, true, true},
		"nothing to divide by": {roundsOf(1, 1, 1, 1, 1, 1), roundsOf(0, 0, 0, 0, 0, 0), 6, inf, inf, inf, false, false},
		"negative":             {roundsOf(-2, 6), roundsOf(4, 4), 2, 0, 0, 0, false, false},
		"by a negative":        {roundsOf(2, 6), roundsOf(4, -4), 2, 0, 0, 0, false, false},
	} {
		d := compare(c.a, c.b)
		got, want := []float64{d.center, d.low, d.high}, []float64{c.center, c.low, c.high}
		if diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-12, 0)); diff != "" || d.n != c.n || d.known != c.known || d.bounded() != c.bounded {
			t.Errorf("%s: %+v, bounded %v (-want +got):\n%s", name, d, d.bounded(), diff)
		}
	}
}

func TestInverse(t *testing.T) {
	a, b := roundsOf(3, 2, 5, 4, 3, 2, 4), roundsOf(2, 2, 3, 3, 1, 1, 2)
	got, want := compare(a, b).inverse(), compare(b, a)
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(difference{}), cmpopts.EquateApprox(1e-12, 0)); diff != "" {
		t.Errorf("the inverse differs (-want +got):\n%s", diff)
	}
	if compare(roundsOf(0, 0, 0, 0, 0, 0), roundsOf(1, 1, 1, 1, 1, 1)).inverse().known {
		t.Error("one divided by nothing is known")
	}
}

// Ratio, interval and ~ cannot disagree, whatever the figures are: tied, coarse, far
// apart, with rounds missing or nothing in them.
func TestThePairedIntervalAgreesWithTheTest(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 1))
	seen := map[bool]int{}
	for range 20_000 {
		var a, b rounds
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
			a.values, a.round = append(a.values, figure(shift)), append(a.round, round)
			if random.IntN(20) > 0 {
				b.values, b.round = append(b.values, figure(0)), append(b.round, round)
			}
		}
		d := compare(a, b)
		if d.n == 0 {
			continue
		}
		seen[d.significant()]++
		if outside := d.low > 1 || d.high < 1; outside != d.significant() {
			t.Fatalf("%v and %v: interval %g to %g, p = %g", a.values, b.values, d.low, d.high, d.p)
		}
		if d.known && (d.center < d.low || d.center > d.high) {
			t.Fatalf("%v and %v: %g is not from %g to %g", a.values, b.values, d.center, d.low, d.high)
		}
		if text := compareCells(a, b, map[string]bool{})[0].Text; (text == "~") == d.significant() {
			t.Fatalf("%v and %v: significant %v, shown %q", a.values, b.values, d.significant(), text)
		}
	}
	if min(seen[true], seen[false]) < 1000 {
		t.Errorf("outcomes are %v", seen)
	}
}

// Rounds that are slower as a whole do not hide by how much their figures differ, and
// equals are called different no more often than the level says.
func TestPairsFindWhatDriftHides(t *testing.T) {
	const studies = 2000
	random := rand.New(rand.NewPCG(8, 1))
	count := func(shift float64) (paired, unpaired int) {
		for range studies {
			var a, b rounds
			for round := range 12 {
				pace := 0.15 * random.NormFloat64()
				a.values, a.round = append(a.values, math.Exp(pace+shift+0.1*random.NormFloat64())), append(a.round, round)
				b.values, b.round = append(b.values, math.Exp(pace+0.1*random.NormFloat64())), append(b.round, round)
			}
			if compare(a, b).significant() {
				paired++
			}
			if benchmath.AssumeNothing.Compare(a.sample(), b.sample()).P <= 0.05 {
				unpaired++
			}
		}
		return paired, unpaired
	}
	alarms, _ := count(0)
	if share := float64(alarms) / studies; share > 0.06 || share < 0.03 {
		t.Errorf("%.3f of equals are called different, the level is 0.05", share)
	}
	found, before := count(0.14)
	t.Logf("of %d like pairs %d alarms; a shift of one spread was found in %d, without pairs in %d", studies, alarms, found, before)
	if found < studies*8/10 || found < before*3/2 {
		t.Errorf("a shift was found in %d of %d, without pairs in %d", found, studies, before)
	}
}
