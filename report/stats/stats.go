// Package stats has the tests and intervals that reports and comparisons rest on. It knows
// nothing of switches: samples are numbers.
package stats

import (
	"math"
	"sync"

	moremath "github.com/aclements/go-moremath/stats"
)

// Confidence is the level of intervals.
const Confidence = 0.95

// Mean returns the mean of values, of which there is one at least.
func Mean(values []float64) float64 {
	sum := 0.0
	for _, x := range values {
		sum += x
	}
	return sum / float64(len(values))
}

// Deviation returns the standard deviation of a sample of two or more.
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

// quantiles keeps Student's quantiles, which take long to find.
var quantiles sync.Map

// StudentQuantile returns the value below which the share p of Student's t lies.
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
