package stats

import (
	"math"
	"slices"

	moremath "github.com/aclements/go-moremath/stats"
)

const (
	// LeastPairs is the least number of rounds in which a difference between two figures of
	// the same rounds can be significant at 5 %.
	LeastPairs = 6
	// exactPairs is the greatest number of pairs for which the exact distribution is
	// computed. For more pairs the normal distribution is as good.
	exactPairs = 40
	// mostPairs is how many pairs are used at most.
	mostPairs = 512
)

// SignedRank tests whether the center of values is 0, and estimates that center. The
// estimate is the median of the averages of all pairs of values, including each value
// paired with itself (Hodges and Lehmann 1963). The interval inverts Wilcoxon's signed-rank
// test (Tukey 1949; Hollander, Wolfe and Chicken 2014, section 3.4): it is from the k-th
// smallest to the k-th largest average, for the largest k at which P(T < k) is at most half
// of 5 %. The test counts the averages on one side of 0, and averages of 0 count for neither
// side. So for tied values it errs on the side of no difference, and the interval excludes 0
// exactly if p is at most 5 %. There must be at least one value. The interval is infinite
// for fewer than LeastPairs values.
func SignedRank(values []float64) (center, low, high, p float64) {
	values = thin(values)
	averages := make([]float64, 0, len(values)*(len(values)+1)/2)
	above, below := 0, 0
	for i, x := range values {
		for _, y := range values[i:] {
			average := x/2 + y/2
			// The sum of opposite infinities counts as 0, and so does a rounding error.
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
	const tail = (1 - Confidence) / 2
	k := 0
	for k < n/2 && distribution(k) <= tail {
		k++
	}
	if k == 0 {
		return center, math.Inf(-1), math.Inf(1), p
	}
	return center, averages[k-1], averages[n-k], p
}

// rankSums returns the distribution P(T ≤ t) of the signed-rank statistic T of n untied
// values around 0. T is the sum of a random subset of the ranks 1 to n.
func rankSums(n int) func(t int) float64 {
	most := n * (n + 1) / 2
	if n > exactPairs {
		deviation := math.Sqrt(float64(most) * float64(2*n+1) / 12)
		// 0.5 is the continuity correction.
		return func(t int) float64 {
			return moremath.StdNormal.CDF((float64(t) + 0.5 - float64(most)/2) / deviation)
		}
	}
	part := make([]float64, most+1) // the share of subsets that have each sum
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

// thin takes mostPairs values, evenly spaced by rank, from a sample that is too large. The
// interval becomes wider by this, never narrower.
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
