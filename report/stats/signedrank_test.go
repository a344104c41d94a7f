package stats

import (
	"math"
	"math/bits"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// The distribution is that of all ways to give signs to ranks, enumerated one by one.
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
	// Where the normal distribution takes over, both are equal.
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
		t.Errorf("P below the middle is %g", beyond)
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
	center, low, high, p := SignedRank(shifts)
	want, got := []float64{-0.46, -0.786, -0.010, 0.0390625}, []float64{center, low, high, p}
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-9)); diff != "" {
		t.Errorf("estimate, interval and p (-want +got):\n%s", diff)
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
		center, low, high, p := SignedRank(c.values)
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
