package stats

import "slices"

// FalseDiscoveryRates returns the q-value of Benjamini and Hochberg (1995) for each p-value:
// the lowest false discovery rate at which it would be called a discovery among all of them.
func FalseDiscoveryRates(p []float64) []float64 {
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
