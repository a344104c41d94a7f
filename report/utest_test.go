package report

import (
	"math"
	"math/rand/v2"
	"testing"

	"golang.org/x/perf/benchmath"
)

// The p-value of tied samples is benchmath's, to the last digits.
func TestMannWhitneyIsBenchmaths(t *testing.T) {
	random := rand.New(rand.NewPCG(21, 1))
	draw := func(n, distinct int, shift float64) rounds {
		var s rounds
		for range n {
			s.values = append(s.values, float64(random.IntN(distinct))+shift)
		}
		return s
	}
	tied := 0
	for range 3000 {
		a := draw(4+random.IntN(9), 1+random.IntN(20), 0)
		b := draw(4+random.IntN(9), 1+random.IntN(20), float64(random.IntN(4)))
		if len(rankSum(a.values, b.values).ties) == 1 {
			continue // all alike: compare does not ask
		}
		if rankSum(a.values, b.values).tied() {
			tied++
		}
		want := min(1, benchmath.AssumeNothing.Compare(a.sample(), b.sample()).P)
		if got, _ := mannWhitney(a, b); math.Abs(got-want) > 1e-9 {
			t.Fatalf("%v and %v: p is %g, of benchmath %g", a.values, b.values, got, want)
		}
	}
	if tied < 1000 {
		t.Errorf("only %d samples were tied", tied)
	}
}

// Few values come with benchmath's warning.
func TestMannWhitneyWarnsOfFewValues(t *testing.T) {
	few := rounds{values: []float64{1, 1, 2}}
	if _, warnings := mannWhitney(few, rounds{values: []float64{3, 3, 4}}); len(warnings) == 0 {
		t.Error("no warning for three values each")
	}
	if _, warnings := mannWhitney(rounds{values: []float64{1, 1, 2, 2}}, rounds{values: []float64{3, 3, 4, 4}}); len(warnings) > 0 {
		t.Errorf("four values each are warned of: %v", warnings)
	}
}
