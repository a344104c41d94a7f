package report

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// binomialTail is the chance of at most k of n.
func binomialTail(k, n int, p float64) float64 {
	var sum float64
	for i := range k + 1 {
		a, _ := math.Lgamma(float64(n + 1))
		b, _ := math.Lgamma(float64(i + 1))
		c, _ := math.Lgamma(float64(n - i + 1))
		sum += math.Exp(a - b - c + float64(i)*math.Log(p) + float64(n-i)*math.Log(1-p))
	}
	return sum
}

// The interval of a change holds the true change at least as often as it
// promises: were it 95 % exactly, fewer hits would come once in a thousand such
// studies. The shapes are a symmetric one, one with a long tail as waits have,
// and one of few distinct values as quantiles have.
func TestTheChangesIntervalCoversTheTruth(t *testing.T) {
	const studies, truth = 2000, 1.1
	shapes := map[string]func(*rand.Rand) float64{
		"normal": func(r *rand.Rand) float64 { return 1000 * math.Exp(0.03*r.NormFloat64()) },
		"tail":   func(r *rand.Rand) float64 { return 1000 + 400*r.ExpFloat64() },
		"coarse": func(r *rand.Rand) float64 { return math.Round(10+2*r.NormFloat64()) + 1 },
	}
	for name, draw := range shapes {
		for _, n := range [][2]int{{4, 4}, {6, 6}, {12, 12}, {6, 12}, {30, 40}} {
			random := rand.New(rand.NewPCG(31, uint64(n[0])))
			var s shifts
			hits, finite := 0, 0
			for range studies {
				a, b := make([]float64, n[0]), make([]float64, n[1])
				for i := range a {
					a[i] = max(draw(random), 1)
				}
				for i := range b {
					b[i] = truth * max(draw(random), 1)
				}
				_, low, high, ok := s.factor(a, b)
				if !ok {
					t.Fatalf("%s: no factor of %v and %v", name, a, b)
				}
				if low <= truth*(1+1e-12) && truth*(1-1e-12) <= high {
					hits++
				}
				if !math.IsInf(high, 0) {
					finite++
				}
			}
			t.Logf("%s, n = %v: %.1f %% of intervals hold the truth", name, n, 100*float64(hits)/studies)
			if finite != studies {
				t.Errorf("%s, n = %v: %d of %d intervals are finite", name, n, finite, studies)
			}
			if binomialTail(hits, studies, confidence) < 0.001 {
				t.Errorf("%s, n = %v: %d of %d intervals hold the truth, fewer than %g allows", name, n, hits, studies, confidence)
			}
			// Nor is it so wide that it says nothing; ties and small samples make it wider.
			if share := float64(hits) / studies; name != "coarse" && n[0] > 4 && share > 0.98 {
				t.Errorf("%s, n = %v: %.3f of intervals hold the truth: they are too wide", name, n, share)
			}
		}
	}
}

// The interval leaves out no change exactly when the test sees one.
func TestTheIntervalAgreesWithTheTest(t *testing.T) {
	random := rand.New(rand.NewPCG(32, 1))
	var s shifts
	seen := map[bool]int{}
	for range 2000 {
		a, b := rounds{}, rounds{}
		for range 4 + random.IntN(9) {
			a.values = append(a.values, math.Exp(0.05*random.NormFloat64()))
		}
		for range 4 + random.IntN(9) {
			b.values = append(b.values, 1.05*math.Exp(0.05*random.NormFloat64()))
		}
		_, low, high, _ := s.factor(a.values, b.values)
		p, _ := mannWhitney(a, b)
		differs := p <= 1-confidence
		seen[differs]++
		if outside := low > 1 || high < 1; outside != differs {
			t.Fatalf("%v and %v: interval %g to %g, significant %v", a.values, b.values, low, high, differs)
		}
	}
	if min(seen[true], seen[false]) < 100 {
		t.Errorf("outcomes are %v", seen)
	}
}

func TestFactor(t *testing.T) {
	inf := math.Inf(1)
	for name, c := range map[string]struct {
		a, b                []float64
		estimate, low, high float64
		ok                  bool
	}{
		// 16 ratios 2 to 8; of four and four the extremes are the interval.
		"four each":     {[]float64{1, 1, 2, 2}, []float64{4, 4, 8, 8}, 4, 2, 8, true},
		"three each":    {[]float64{1, 1, 1}, []float64{2, 2, 2}, 2, 0, inf, true},
		"one each":      {[]float64{10}, []float64{15}, 1.5, 0, inf, true},
		"to nothing":    {[]float64{1, 1, 1, 1}, []float64{0, 0, 0, 0}, 0, 0, 0, true},
		"from nothing":  {[]float64{0, 1, 1, 1}, []float64{1, 1, 1, 1}, 0, 0, 0, false},
		"below nothing": {[]float64{1, 1, 1, 1}, []float64{1, -1, 1, 1}, 0, 0, 0, false},
		"no old":        {nil, []float64{1}, 0, 0, 0, false},
		"no new":        {[]float64{1}, nil, 0, 0, 0, false},
		"beyond bounds": {[]float64{1e-300}, []float64{1e300}, 0, 0, 0, false},
	} {
		var s shifts
		estimate, low, high, ok := s.factor(c.a, c.b)
		got, want := []float64{estimate, low, high}, []float64{c.estimate, c.low, c.high}
		if diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-12, 0)); diff != "" || ok != c.ok {
			t.Errorf("%s: ok %v (-want +got):\n%s", name, ok, diff)
		}
	}
}

// The ranks are those of printed tables (Hollander, Wolfe and Chicken), where
// the normal distribution takes over too.
func TestRank(t *testing.T) {
	for n, want := range map[[2]int]int{
		{3, 3}: 0, {4, 4}: 1, {5, 5}: 3, {6, 6}: 6, {10, 10}: 24, {12, 12}: 38, {4, 10}: 6, {25, 25}: 212, {1, 400}: 0,
	} {
		var s shifts
		if got := s.rank(n[0], n[1]); got != want {
			t.Errorf("%v: rank %d, want %d", n, got, want)
		}
	}
	// On both sides of the change of method.
	var s shifts
	if exact, normal := float64(s.rank(25, 25))/625, float64(s.rank(26, 26))/676; math.Abs(exact-normal) > 0.01 {
		t.Errorf("of all pairs, %g are outside for 25 and %g for 26", exact, normal)
	}
}

func TestThinKeepsTheEndsApart(t *testing.T) {
	large := make([]float64, 100_000)
	for i := range large {
		large[i] = float64(len(large) - i)
	}
	got := thin(large)
	if len(got) != maxShiftSample || got[0] > 200 || got[len(got)-1] < 99_800 || got[0] >= got[1] {
		t.Errorf("%d values from %g to %g", len(got), got[0], got[len(got)-1])
	}
	if few := thin(large[:maxShiftSample]); few[0] != 100_000 {
		t.Error("a sample of the largest size was changed")
	}
}

func TestLeastP(t *testing.T) {
	for n, want := range map[[2]int]float64{{1, 1}: 1, {3, 3}: 0.1, {4, 4}: 2.0 / 70, {1, 39}: 2.0 / 40, {6, 6}: 2.0 / 924} {
		if got := leastP(n[0], n[1]); math.Abs(got-want) > 1e-12 {
			t.Errorf("%v: %g, want %g", n, got, want)
		}
	}
}

// The example of Benjamini and Hochberg's paper: of 15 tests, the first four
// hold at 5 %.
func TestAdjust(t *testing.T) {
	p := []float64{0.0095, 0.0001, 0.0004, 0.0019, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1}
	q := adjust(p)
	want := []float64{0.0095 * 15 / 4, 0.0015, 0.003, 0.0095, 0.0603}
	if diff := cmp.Diff(want, q[:5], cmpopts.EquateApprox(0, 1e-9)); diff != "" {
		t.Errorf("q (-want +got):\n%s", diff)
	}
	if q[14] != 1 || len(adjust(nil)) != 0 {
		t.Errorf("the last is %g", q[14])
	}
}
