package metric

import (
	"fmt"
	"math"
	"slices"

	"golang.org/x/perf/benchmath"

	"github.com/slicetrace/slicetrace/report/stats"
)

// Difference is the comparison of two figures of the same rounds. What affects both of them in a
// round, such as other tasks or a slow phase of the machine, cancels out.
type Difference struct {
	// N is the number of rounds that have both figures.
	N int
	// P is the two-sided p-value of Wilcoxon's signed-rank test, 1 if there is none.
	P float64
	// Center is the Hodges-Lehmann estimate of the first figure ÷ the second. Low and High are the
	// ends of its 95 % interval, 0 and +Inf if there are too few rounds. The interval excludes 1
	// exactly if the test finds a significant difference.
	Center, Low, High float64
	// Known is false if the figures have no ratio: one of them is negative, as a difference may be,
	// or the estimate is infinite.
	Known    bool
	Warnings []error
	// logs are the logarithms of the rounds' ratios, nil if the figures have none.
	logs []float64
}

// Compare tests whether a and b differ, and by what ratio a ÷ b.
func Compare(a, b Rounds) Difference {
	d := Difference{P: 1}
	negative := func(x float64) bool { return x < 0 }
	ratio := !slices.ContainsFunc(a.Values, negative) && !slices.ContainsFunc(b.Values, negative)
	var values []float64
	for i, round := range a.Round {
		j := slices.Index(b.Round, round)
		if j < 0 {
			continue
		}
		x, y := a.Values[i], b.Values[j]
		switch {
		case x == y:
			values = append(values, 0) // also where both are 0
		case ratio:
			values = append(values, math.Log(x/y))
		default:
			values = append(values, x-y)
		}
	}
	if d.N = len(values); d.N == 0 {
		return d
	}
	if d.N < stats.LeastPairs {
		// The wording is that of benchmath for a median.
		d.Warnings = []error{fmt.Errorf(
			"need >= %d samples for confidence interval at level %v", stats.LeastPairs, stats.Confidence)}
	}
	var center, low, high float64
	center, low, high, d.P = stats.SignedRank(values)
	if ratio {
		d.logs = values
		d.Center, d.Low, d.High = math.Exp(center), math.Exp(low), math.Exp(high)
		d.Known = !math.IsInf(d.Center, 0)
	}
	return d
}

// Significant reports whether the test finds a difference at its level of 5 %.
func (d Difference) Significant() bool {
	return d.P <= benchmath.DefaultThresholds.CompareAlpha
}

// Bounded reports whether there is an interval.
func (d Difference) Bounded() bool {
	return d.Known && d.N >= stats.LeastPairs && !math.IsInf(d.High, 0)
}

// Beyond is the signed-rank test's p-value of the ratio being above x (or below it). It is 1 if the
// estimate is not on that side of x.
func (d Difference) Beyond(x float64, above bool) float64 {
	if !d.Known || len(d.logs) == 0 {
		return 1
	}
	shifted := slices.Clone(d.logs)
	for i := range shifted {
		shifted[i] -= math.Log(x)
	}
	center, _, _, p := stats.SignedRank(shifted)
	if center == 0 || center > 0 != above {
		return 1
	}
	return p
}
