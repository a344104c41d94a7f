package metric

import (
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/histogram"
)

// LeastForQuantile is how many values any quantile needs.
const LeastForQuantile = 10

// Quantile returns a quantile of h in nanoseconds, absent if h has too few values: with fewer than
// 1/(1-q) of them the quantile would be the longest value.
func Quantile(h histogram.Histogram, q float64) report.Quantity {
	if n := float64(h.Count); n < LeastForQuantile || n*(1-q) < 1-1e-9 {
		return report.Quantity{Unit: report.Nanoseconds}
	}
	ns, ok := h.Quantile(q)
	return report.Maybe(ns, ok, report.Nanoseconds)
}
