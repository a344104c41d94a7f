package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/aclements/go-moremath/stats"
	"golang.org/x/perf/benchmath"
)

const (
	// leastPairs is the number of rounds from which on two figures of the same rounds
	// can be told apart at 5 %.
	leastPairs = 6
	// exactPairs is the number of pairs up to which the distribution is counted out;
	// beyond it the normal distribution is as good.
	exactPairs = 40
	// mostPairs is how many pairs are looked at.
	mostPairs = 512
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
	if d.n < leastPairs {
		// As benchmath says it of a median.
		d.warnings = []error{fmt.Errorf("need >= %d samples for confidence interval at level %v", leastPairs, confidence)}
	}
	var center, low, high float64
	center, low, high, d.p = signedRank(values)
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
	return d.known && d.n >= leastPairs && !math.IsInf(d.high, 0)
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
	c := Cell{Value: Of(d.center, Ratio)}
	if !d.bounded() {
		return c
	}
	reach := max(d.high-d.center, d.center-d.low)
	if holdsOne(d.low, d.high) != holdsOne(d.center-reach, d.center+reach) {
		c.Low, c.High = Of(d.low, Ratio), Of(d.high, Ratio)
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
	center, _, _, p := signedRank(shifted)
	if center == 0 || center > 0 != above {
		return 1
	}
	return p
}

// signedRank tests whether values lie around 0, and estimates around what: the median
// of the averages of all pairs of them, each with itself too (Hodges and Lehmann 1963),
// with the interval that inverts Wilcoxon's signed-rank test (Tukey 1949; Hollander,
// Wolfe and Chicken 2014, section 3.4): the k-th smallest and k-th largest average, for
// the largest k at which P(T < k) is at most half of 5 %. The test counts the averages
// on one side of 0, of which those at 0 count for neither: so it errs to no difference
// where values are tied, and the interval leaves out 0 exactly when p is at most 5 %.
// There must be a value; the interval is infinite for fewer than leastPairs.
func signedRank(values []float64) (center, low, high, p float64) {
	values = thin(values)
	averages := make([]float64, 0, len(values)*(len(values)+1)/2)
	above, below := 0, 0
	for i, x := range values {
		for _, y := range values[i:] {
			average := x/2 + y/2
			// Infinite to either side, or as near as rounding can tell.
			if math.IsNaN(average) || math.Abs(average) < 1e-12 {
				average = 0
			}
			averages = append(averages, average)
			switch {
			case average > 0:
				above++
			case average < 0:
				below++
			}
		}
	}
	slices.Sort(averages)
	n := len(averages)
	distribution := rankSums(len(values))
	if center = averages[(n-1)/2]/2 + averages[n/2]/2; math.IsNaN(center) {
		center = 0
	}
	p = min(1, 2*distribution(n-max(above, below)))
	const tail = (1 - confidence) / 2
	k := 0
	for k < n/2 && distribution(k) <= tail {
		k++
	}
	if k == 0 {
		return center, math.Inf(-1), math.Inf(1), p
	}
	return center, averages[k-1], averages[n-k], p
}

// rankSums returns the distribution of the signed-rank statistic T of n untied values
// around 0: P(T ≤ t), T being the sum of a random subset of the ranks 1 to n.
func rankSums(n int) func(t int) float64 {
	most := n * (n + 1) / 2
	if n > exactPairs {
		deviation := math.Sqrt(float64(most) * float64(2*n+1) / 12)
		// Half a step makes the discrete distribution continuous.
		return func(t int) float64 {
			return stats.StdNormal.CDF((float64(t) + 0.5 - float64(most)/2) / deviation)
		}
	}
	part := make([]float64, most+1) // of all subsets, those with a sum
	part[0] = 1
	for rank := 1; rank <= n; rank++ {
		for sum := rank * (rank + 1) / 2; sum >= 0; sum-- {
			part[sum] /= 2
			if sum >= rank {
				part[sum] += part[sum-rank] / 2
			}
		}
	}
	for t := 1; t <= most; t++ {
		part[t] += part[t-1]
	}
	return func(t int) float64 { return part[min(max(t, 0), most)] }
}

// thin takes evenly from a sample that is too large. The interval becomes
// wider by it, never narrower.
func thin(values []float64) []float64 {
	if len(values) <= mostPairs {
		return values
	}
	sorted := slices.Sorted(slices.Values(values))
	out := make([]float64, mostPairs)
	for i := range out {
		out[i] = sorted[(2*i+1)*len(sorted)/(2*mostPairs)]
	}
	return out
}
