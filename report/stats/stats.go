// Package stats has the statistical tests and intervals for reports and comparisons. It
// knows nothing about switches: its samples are numbers.
package stats

import (
	"math"
	"sync"

	moremath "github.com/aclements/go-moremath/stats"
)

// Confidence is the confidence level of all intervals.
const Confidence = 0.95

// Mean returns the mean of one or more values.
func Mean(values []float64) float64 {
	sum := 0.0
	for _, x := range values {
		sum += x
	}
	return sum / float64(len(values))
}

// Deviation returns the standard deviation of a sample of two or more values.
func Deviation(values []float64) float64 {
	mean, squares := Mean(values), 0.0
	for _, x := range values {
		squares += (x - mean) * (x - mean)
	}
	return math.Sqrt(squares / float64(len(values)-1))
}

// StudentCDF is the distribution function of Student's t.
func StudentCDF(t float64, freedom int) float64 {
	return moremath.TDist{V: float64(freedom)}.CDF(t)
}

// quantiles caches quantiles of Student's t, which take long to compute.
var quantiles sync.Map

// StudentQuantile returns the quantile p of Student's t.
func StudentQuantile(p float64, freedom int) float64 {
	type key struct {
		p       float64
		freedom int
	}
	if q, ok := quantiles.Load(key{p, freedom}); ok {
		return q.(float64)
	}
	q := moremath.InvCDF(moremath.TDist{V: float64(freedom)})(p)
	quantiles.Store(key{p, freedom}, q)
	return q
}
