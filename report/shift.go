package report

import (
	"math"
	"slices"

	"github.com/aclements/go-moremath/stats"
)

// shifts estimates by what factor unpaired samples differ. Its zero value is
// ready; it keeps the ranks that it has found, since they are dear to compute.
type shifts struct {
	ranks map[[2]int]int
}

const (
	// maxShiftSample bounds the sizes of samples, the pairs of which are counted.
	maxShiftSample = 512
	// exactRanks is the size up to which the U distribution is computed; beyond
	// it the normal distribution is as good.
	exactRanks = 25
)

// factor returns the Hodges–Lehmann estimate of b ÷ a, the median of the
// ratios of every b to every a, with the interval that inverts the
// Mann–Whitney test (Hodges and Lehmann 1963; Moses in Walker and Lev 1953;
// Hollander, Wolfe and Chicken 2014, section 4.3): the k-th smallest and k-th
// largest ratio, for the largest k at which P(U < k) is at most half of 5 %. By
// logarithms it is the shift between the samples. It leaves out 1 exactly when
// the test tells untied samples apart. ok is false for figures that have no
// ratio; the interval is from 0 to +Inf for too few samples.
func (s *shifts) factor(a, b []float64) (estimate, low, high float64, ok bool) {
	if len(a) == 0 || len(b) == 0 || slices.Min(a) <= 0 || slices.Min(b) < 0 {
		return 0, 0, 0, false
	}
	a, b = thin(a), thin(b)
	ratios := make([]float64, 0, len(a)*len(b))
	for _, y := range b {
		for _, x := range a {
			ratios = append(ratios, y/x)
		}
	}
	slices.Sort(ratios)
	n := len(ratios)
	estimate = math.Sqrt(ratios[(n-1)/2]) * math.Sqrt(ratios[n/2]) // the mean of logarithms
	if math.IsInf(ratios[n-1], 0) || math.IsNaN(estimate) {
		return 0, 0, 0, false // an altered file can hold such figures
	}
	k := s.rank(len(a), len(b))
	if k < 1 {
		return estimate, 0, math.Inf(1), true
	}
	return estimate, ratios[k-1], ratios[n-k], true
}

// rank returns the k of factor's interval, 0 where there is none.
func (s *shifts) rank(n1, n2 int) int {
	key := [2]int{n1, n2}
	if k, ok := s.ranks[key]; ok {
		return k
	}
	const tail = (1 - confidence) / 2
	k := 0
	if n1 <= exactRanks && n2 <= exactRanks {
		u := stats.UDist{N1: n1, N2: n2}
		for below := n1*n2/2 + 1; k < below; { // by bisection: the least k that is too large
			if middle := (k + below) / 2; u.CDF(float64(middle)) <= tail {
				k = middle + 1
			} else {
				below = middle
			}
		}
	} else {
		pairs := float64(n1) * float64(n2)
		deviation := math.Sqrt(pairs * float64(n1+n2+1) / 12)
		// Half a step makes the discrete distribution continuous.
		k = max(0, int(math.Floor(pairs/2-0.5+deviation*stats.StdNormal.InvCDF(tail)))+1)
	}
	if s.ranks == nil {
		s.ranks = map[[2]int]int{}
	}
	s.ranks[key] = k
	return k
}

// thin takes evenly from a sample that is too large. The interval becomes
// wider by it, never narrower.
func thin(values []float64) []float64 {
	if len(values) <= maxShiftSample {
		return values
	}
	sorted := slices.Sorted(slices.Values(values))
	out := make([]float64, maxShiftSample)
	for i := range out {
		out[i] = sorted[(2*i+1)*len(sorted)/(2*maxShiftSample)]
	}
	return out
}

// leastP returns the smallest p-value that the two-sided Mann–Whitney test can
// give for samples of these sizes: that of complete separation.
func leastP(n1, n2 int) float64 {
	a, _ := math.Lgamma(float64(n1 + 1))
	b, _ := math.Lgamma(float64(n2 + 1))
	both, _ := math.Lgamma(float64(n1 + n2 + 1))
	return min(1, 2*math.Exp(a+b-both))
}

// adjust returns Benjamini and Hochberg's (1995) q for each p-value: the false
// discovery rate at which it would still be called a discovery among all of them.
func adjust(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		switch {
		case p[i] < p[j]:
			return 1
		case p[i] > p[j]:
			return -1
		}
		return 0
	})
	q, least := make([]float64, len(p)), 1.0
	for rank, i := range order { // the largest first
		least = min(least, p[i]*float64(len(p))/float64(len(p)-rank))
		q[i] = least
	}
	return q
}
