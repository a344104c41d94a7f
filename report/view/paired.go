package view

import (
	"fmt"
	"math"
	"slices"

	"golang.org/x/perf/benchmath"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/stats"
)

// difference tells two figures of the same rounds apart. What a round does to both of
// them, such as others' work or a slower spell of the machine, cancels.
type difference struct {
	// n is the number of rounds that have both.
	n int
	// p is the two-sided p-value of Wilcoxon's signed-rank test, 1 where there is none.
	p float64
	// center is the Hodges-Lehmann estimate of the first figure ÷ the second, low and
	// high the ends of its 95 % interval, 0 and +Inf for too few rounds. The interval
	// leaves out 1 exactly when the test tells the figures apart.
	center, low, high float64
	// known is false for figures that have no ratio: one is negative, as a difference
	// may be, or the estimate is no number.
	known    bool
	warnings []error
	// logs are the rounds' ratios, nil for figures that have none.
	logs []float64
}

// compare tests whether a and b differ, and by what ratio a ÷ b.
func compare(a, b rounds) difference {
	d := difference{p: 1}
	negative := func(x float64) bool { return x < 0 }
	ratio := !slices.ContainsFunc(a.values, negative) && !slices.ContainsFunc(b.values, negative)
	var values []float64
	for i, round := range a.round {
		j := slices.Index(b.round, round)
		if j < 0 {
			continue
		}
		x, y := a.values[i], b.values[j]
		switch {
		case x == y:
			values = append(values, 0) // also where both are 0
		case ratio:
			values = append(values, math.Log(x/y))
		default:
			values = append(values, x-y)
		}
	}
	if d.n = len(values); d.n == 0 {
		return d
	}
	if d.n < stats.LeastPairs {
		// As benchmath says it of a median.
		d.warnings = []error{fmt.Errorf("need >= %d samples for confidence interval at level %v", stats.LeastPairs, stats.Confidence)}
	}
	var center, low, high float64
	center, low, high, d.p = stats.SignedRank(values)
	if ratio {
		d.logs = values
		d.center, d.low, d.high = math.Exp(center), math.Exp(low), math.Exp(high)
		d.known = !math.IsInf(d.center, 0)
	}
	return d
}

// significant reports whether the test tells the figures apart at its level of 5 %.
func (d difference) significant() bool {
	return d.p <= benchmath.DefaultThresholds.CompareAlpha
}

// bounded reports whether there is an interval.
func (d difference) bounded() bool {
	return d.known && d.n >= stats.LeastPairs && !math.IsInf(d.high, 0)
}

// inverse is the difference of b and a.
func (d difference) inverse() difference {
	d.known = d.known && d.center > 0
	d.logs = slices.Clone(d.logs)
	for i := range d.logs {
		d.logs[i] = -d.logs[i]
	}
	d.center, d.low, d.high = 1/d.center, 1/d.high, 1/d.low
	return d
}

// cell returns the ratio and its interval: by its ends where the wider side, to both
// sides, would tell of 1 what is not so.
func (d difference) cell() Cell {
	if !d.known {
		return Cell{}
	}
	c := Cell{Value: report.Of(d.center, report.Ratio)}
	if !d.bounded() {
		return c
	}
	reach := max(d.high-d.center, d.center-d.low)
	if holdsOne(d.low, d.high) != holdsOne(d.center-reach, d.center+reach) {
		c.Low, c.High = report.Of(d.low, report.Ratio), report.Of(d.high, report.Ratio)
		return c
	}
	c.Spread = spread(d.center, d.low, d.high)
	return c
}

func holdsOne(low, high float64) bool { return low <= 1 && high >= 1 }

// beyond is the signed-rank test's p-value of the ratio's being above x, or below it; 1
// where it is not there.
func (d difference) beyond(x float64, above bool) float64 {
	if !d.known || len(d.logs) == 0 {
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
