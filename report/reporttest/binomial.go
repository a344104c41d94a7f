package reporttest

import "math"

// AtLeast is the exact probability that at least k of n trials succeed, each with probability p.
func AtLeast(k, n int, p float64) float64 {
	var sum float64
	for i := k; i <= n; i++ {
		all, _ := math.Lgamma(float64(n + 1))
		hit, _ := math.Lgamma(float64(i + 1))
		miss, _ := math.Lgamma(float64(n - i + 1))
		sum += math.Exp(all - hit - miss + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	return sum
}
