package metric

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
func roundsOf(values ...float64) Rounds {
	s := Rounds{Unit: report.Nanoseconds, Values: values}
	for i := range values {
		s.Round = append(s.Round, i+1)
	}
	return s
}

// Figures that can be negative, such as a difference of two times, have no ratio.
func TestRatiosOfRounds(t *testing.T) {
	inf := math.Inf(1)
	for name, c := range map[string]struct {
		a, b              Rounds
		n                 int
		center, low, high float64
		known, bounded    bool
	}{
		"six rounds": {roundsOf(2, 2, 2, 2, 2, 8), roundsOf(1, 1, 1, 1, 1, 1), 6, 2, 2, 8, true, true},
		// With five rounds, no test at 5 % can be significant.
		"five rounds":    {roundsOf(2, 2, 2, 2, 2), roundsOf(1, 1, 1, 1, 1), 5, 2, 0, inf, true, false},
		"one round":      {roundsOf(3), roundsOf(2), 1, 1.5, 0, inf, true, false},
		"none in common": {roundsOf(3), Rounds{Values: []float64{2}, Round: []int{7}}, 0, 0, 0, 0, false, false},
		"rounds are missing": {
			roundsOf(2, 3, 4), Rounds{Values: []float64{1, 2}, Round: []int{2, 3}}, 2, math.Sqrt(6), 0, inf, true,
			false,
		},
		"nothing":       {roundsOf(0, 0, 0, 0, 0, 0), roundsOf(1, 1, 1, 1, 1, 1), 6, 0, 0, 0, true, true},
		"nothing twice": {roundsOf(0, 0, 0, 0, 0, 0), roundsOf(0, 0, 0, 0, 0, 0), 6, 1, 1, 1, true, true},
		"nothing to divide by": {
			roundsOf(1, 1, 1, 1, 1, 1), roundsOf(0, 0, 0, 0, 0, 0), 6, inf, inf, inf, false, false,
		},
		"negative":      {roundsOf(-2, 6), roundsOf(4, 4), 2, 0, 0, 0, false, false},
		"by a negative": {roundsOf(2, 6), roundsOf(4, -4), 2, 0, 0, 0, false, false},
	} {
		d := Compare(c.a, c.b)
		got, want := []float64{d.Center, d.Low, d.High}, []float64{c.center, c.low, c.high}
		diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-12, 0))
		if diff != "" || d.N != c.n || d.Known != c.known || d.Bounded() != c.bounded {
			t.Errorf("%s: %+v, bounded %v (-want +got):\n%s", name, d, d.Bounded(), diff)
		}
	}
}

// Rounds that are slower as a whole do not hide a difference between two figures, and equal figures
// are called different no more often than the level allows.
func TestPairsFindWhatDriftHides(t *testing.T) {
	const studies = 2000
	random := rand.New(rand.NewPCG(8, 1))
	count := func(shift float64) (paired, unpaired int) {
		for range studies {
			var a, b Rounds
			for round := range 12 {
				pace := 0.15 * random.NormFloat64()
				a.Values = append(a.Values, math.Exp(pace+shift+0.1*random.NormFloat64()))
				b.Values = append(b.Values, math.Exp(pace+0.1*random.NormFloat64()))
				a.Round, b.Round = append(a.Round, round), append(b.Round, round)
			}
			if Compare(a, b).Significant() {
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
	t.Logf("of %d equal pairs %d alarms; a shift of one spread was found in %d, without pairs in %d",
		studies, alarms, found, before)
	if found < studies*8/10 || found < before*3/2 {
		t.Errorf("a shift was found in %d of %d, without pairs in %d", found, studies, before)
	}
}
