package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// sequence reads o as an old run and n as a new one.
func sequence(s string) []bool {
	var out []bool
	for _, r := range s {
		out = append(out, r == 'n')
	}
	return out
}

func TestArrangementsAreWithinBlocksOfTime(t *testing.T) {
	for s, want := range map[string]struct {
		blocks       []int
		arrangements int
	}{
		"on":                       {[]int{2}, 2},
		"onon":                     {[]int{4}, 6},
		"onnoon":                   {[]int{6}, 20},
		"onnoonno":                 {[]int{8}, 70},
		"onnoonnoon":               {[]int{4, 6}, 6 * 20},
		"onononononon":             {[]int{4, 4, 4}, 216},
		"oooonnnn":                 {[]int{8}, 70},
		"onnoonnooo":               {[]int{10}, 210}, // two blocks of 4 and 6 would allow too few
		"onnonnonnonn":             {[]int{12}, 495},
		"onononononononononononon": {[]int{4, 4, 4, 4, 4, 4}, MostArrangements},
	} {
		a := Arrange(sequence(s))
		var sizes []int
		for _, b := range a.blocks {
			sizes = append(sizes, len(b))
		}
		if !slices.Equal(sizes, want.blocks) || len(a.weights) != want.arrangements {
			t.Errorf("%s: blocks of %v, %d arrangements, want %v", s, sizes, len(a.weights), want)
		}
		for g, weights := range a.weights {
			sum, positive := 0.0, 0.0
			for _, w := range weights {
				sum, positive = sum+w, positive+max(w, 0)
			}
			if math.Abs(sum) > 1e-12 || math.Abs(positive-1) > 1e-12 {
				t.Fatalf("%s: arrangement %d weighs %g for new runs and %g in all", s, g, positive, sum)
			}
		}
	}
}

// If the four runs of each side do not overlap, one arrangement on each side is as extreme.
func TestShiftOfFewRuns(t *testing.T) {
	a := Arrange(sequence("onnoonno"))
	center, low, high, p := a.Shift(a.Differences([]float64{1, 11, 12, 2, 3, 13, 14, 4}))
	if math.Abs(p-2.0/70) > 1e-12 || math.Abs(center-10) > 1e-12 || low <= 0 || low > 10 || high < 10 {
		t.Errorf("%g from %g to %g, p %g", center, low, high, p)
	}
	if _, low, high, p := a.Shift(a.Differences(make([]float64, 8))); p != 1 || low != 0 || high != 0 {
		t.Errorf("of equals: from %g to %g, p %g", low, high, p)
	}
	few := Arrange(sequence("onno"))
	_, low, high, p = few.Shift(few.Differences([]float64{1, 11, 12, 2}))
	if !math.IsInf(low, -1) || !math.IsInf(high, 1) || p < 0.05 {
		t.Errorf("of two runs a side: from %g to %g, p %g", low, high, p)
	}
}

// The interval excludes 0 exactly if the test finds a difference, and contains the
// estimate, for all kinds of figures, with ties and with extremes.
func TestTheIntervalOfRunsAgreesWithTheTest(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 1))
	seen := map[bool]int{}
	for range 10_000 {
		s := []string{"onnoonno", "onnoonnoon", "ononononon", "onnonnonn", "oonnoonnoonn"}[random.IntN(5)]
		a := Arrange(sequence(s))
		values := make([]float64, len(s))
		shift, coarse := 3*random.NormFloat64(), random.IntN(2) == 0
		for i, isNew := range sequence(s) {
			values[i] = random.NormFloat64()
			if isNew {
				values[i] += shift
			}
			if coarse {
				values[i] = math.Round(values[i])
			}
			if random.IntN(40) == 0 {
				values[i] *= 1e6
			}
		}
		center, low, high, p := a.Shift(a.Differences(values))
		apart := low > 0 || high < 0
		seen[apart]++
		if apart != (p <= 0.05) || center < low || center > high {
			t.Fatalf("%s %v: %g from %g to %g, p %g", s, values, center, low, high, p)
		}
	}
	if min(seen[true], seen[false]) < 1000 {
		t.Errorf("outcomes are %v", seen)
	}
}

// The interval contains the true change as often as its level promises, also if runs drift.
func TestTheIntervalOfRunsCoversTheTruth(t *testing.T) {
	const studies, truth = 2000, 0.1
	random := rand.New(rand.NewPCG(6, 1))
	for name, drift := range map[string]float64{"steady": 0, "drifting": 0.05} {
		for _, s := range []string{"onnoonno", "onnoonnoon", "onononononon", "onnonnonn"} {
			a, hits := Arrange(sequence(s)), 0
			for range studies {
				values, level := make([]float64, len(s)), 0.0
				for i, isNew := range sequence(s) {
					level += drift * random.NormFloat64()
					values[i] = level + 0.05*random.NormFloat64()
					if isNew {
						values[i] += truth
					}
				}
				_, low, high, _ := a.Shift(a.Differences(values))
				if low <= truth+1e-12 && truth-1e-12 <= high {
					hits++
				}
			}
			t.Logf("%s, %s: %.1f %% of intervals contain the truth", name, s, 100*float64(hits)/studies)
			if float64(hits) < 0.935*studies {
				t.Errorf("%s, %s: %d of %d intervals contain the truth", name, s, hits, studies)
			}
		}
	}
}

// For figures that change together and for figures that do not, the test finds a change that
// does not exist no more often than its level allows.
func TestAFamilyRaisesNoMoreAlarmsThanTheLevel(t *testing.T) {
	const studies, figures = 1000, 20
	random := rand.New(rand.NewPCG(7, 1))
	for name, common := range map[string]float64{"apart": 0, "mostly together": 0.95} {
		a := Arrange(sequence("onnoonnoon"))
		alarms, found := 0, 0
		for range studies {
			shared := make([]float64, 10)
			for i := range shared {
				shared[i] = random.NormFloat64()
			}
			draw := func(shift float64) []float64 {
				values := make([]float64, 10)
				for i, isNew := range sequence("onnoonnoon") {
					values[i] = math.Sqrt(common)*shared[i] + math.Sqrt(1-common)*random.NormFloat64()
					if isNew {
						values[i] += shift
					}
				}
				return a.Differences(values)
			}
			var all [][]float64
			for range figures {
				all = append(all, draw(0))
			}
			if p, _ := Family(all); slices.Min(p) <= 0.05 {
				alarms++
			}
			all[3] = draw(5)
			if p, _ := Family(all); p[3] <= 0.05 {
				found++
			}
		}
		t.Logf("%s: %d alarms in %d families; a change of five deviations was found in %d",
			name, alarms, studies, found)
		if alarms > studies*7/100 || found < studies*9/10 {
			t.Errorf("%s: the alarms are too many or the changes found are too few", name)
		}
	}
}
