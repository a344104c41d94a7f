package report

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/perf/benchmath"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// roundsOf are the values of rounds 1, 2, ….
func roundsOf(values ...float64) rounds {
	s := rounds{unit: Nanoseconds, values: values}
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

// The distribution is that of all ways to give signs to ranks, counted one by one.
func TestRankSumsAreCountedOut(t *testing.T) {
	for _, n := range []int{1, 2, 6, 12} {
		most := n * (n + 1) / 2
		ways := make([]float64, most+1)
		for signs := range uint(1) << n {
			sum := 0
			for rest := signs; rest != 0; rest &= rest - 1 {
				sum += bits.TrailingZeros(rest) + 1
			}
			ways[sum]++
		}
		got, all := rankSums(n), 0.0
		for sum := range ways {
			all += ways[sum] / float64(uint(1)<<n)
			if math.Abs(got(sum)-all) > 1e-12 {
				t.Errorf("n = %d: P(T ≤ %d) is %g, want %g", n, sum, got(sum), all)
			}
		}
	}
	// Where the normal distribution takes over, both say the same.
	exact, mean := rankSums(exactPairs), exactPairs*(exactPairs+1)/4
	normal := func(t int) float64 {
		deviation := math.Sqrt(float64(2*mean) * (2*exactPairs + 1) / 12)
		return 0.5 * math.Erfc(-(float64(t)+0.5-float64(mean))/deviation/math.Sqrt2)
	}
	for _, sum := range []int{200, 250, 300, mean} {
		if e, n := exact(sum), normal(sum); math.Abs(e-n) > 0.002 {
			t.Errorf("P(T ≤ %d) of %d is %g, by the normal distribution %g", sum, exactPairs, e, n)
		}
	}
	if beyond := rankSums(exactPairs + 1)((exactPairs+1)*(exactPairs+2)/4 - 1); math.Abs(beyond-0.5) > 0.01 {
		t.Errorf("below the middle lies %g", beyond)
	}
}

// Hollander, Wolfe and Chicken (2014), example 3.1 and 3.3: depression before and
// after tranquilizers. T of nine patients is 5, p = 0.039; the estimate is -0.46, and
// the interval of 96.1 % from -0.786 to -0.010.
func TestSignedRankIsTheBooks(t *testing.T) {
	before := []float64{1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30}
	after := []float64{0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29}
	var shifts []float64
	for i := range before {
		shifts = append(shifts, after[i]-before[i])
	}
	center, low, high, p := signedRank(shifts)
	if diff := cmp.Diff([]float64{-0.46, -0.786, -0.010, 0.0390625}, []float64{center, low, high, p}, cmpopts.EquateApprox(0, 1e-9)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
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

func TestSignedRankOfExtremes(t *testing.T) {
	inf := math.Inf(1)
	for name, c := range map[string]struct {
		values []float64
		p      float64
	}{
		"infinite both ways": {[]float64{inf, -inf, inf, -inf, inf, -inf}, 1},
		"infinite one way":   {slices.Repeat([]float64{inf}, 6), 2.0 / 64},
		"all at nothing":     {make([]float64, 6), 1},
		"one":                {[]float64{1}, 1},
		"very many":          {slices.Repeat([]float64{1}, 5000), 0},
	} {
		center, low, high, p := signedRank(c.values)
		if math.IsNaN(center) || math.IsNaN(low) || math.IsNaN(high) || math.Abs(p-c.p) > 1e-12 {
			t.Errorf("%s: %g from %g to %g, p = %g, want %g", name, center, low, high, p, c.p)
		}
	}
}

func TestThinKeepsTheEndsApart(t *testing.T) {
	large := make([]float64, 100_000)
	for i := range large {
		large[i] = float64(len(large) - i)
	}
	got := thin(large)
	if len(got) != mostPairs || got[0] > 200 || got[len(got)-1] < 99_800 || got[0] >= got[1] {
		t.Errorf("%d values from %g to %g", len(got), got[0], got[len(got)-1])
	}
	if few := thin(large[:mostPairs]); few[0] != 100_000 {
		t.Error("a sample of the largest size was changed")
	}
}
