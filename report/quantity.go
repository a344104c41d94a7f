package report

import "github.com/slicetrace/slicetrace/report/histogram"

// Unit says what a Quantity counts, and so how a renderer may scale it.
type Unit string

// The units.
const (
	Nanoseconds Unit = "ns"
	Count       Unit = "count"
	PerSecond   Unit = "per_second"
	Percent     Unit = "percent"
	Share       Unit = "share" // percent, read to whole numbers
	PPM         Unit = "ppm"
	Ratio       Unit = "ratio" // a ratio or an average count, read to three digits
	Index       Unit = "index" // 0 to 1, read to four decimals
	Probability Unit = "probability"
	Bytes       Unit = "bytes"
	Difference  Unit = "difference" // percent by which a figure is more or less than another
)

// Quantity is a figure with its unit. The zero Quantity is absent: it was not
// measured, which is never the same as zero.
type Quantity struct {
	Value float64
	Unit  Unit
	Known bool
}

// Of returns a known quantity.
func Of(value float64, unit Unit) Quantity {
	return Quantity{Value: value, Unit: unit, Known: true}
}

// ofCount returns a known count of things.
func ofCount[T int | int64 | uint64](n T) Quantity { return Of(float64(n), Count) }

// maybe returns a quantity that is absent unless ok.
func maybe(value float64, ok bool, unit Unit) Quantity {
	if !ok {
		return Quantity{Unit: unit}
	}
	return Of(value, unit)
}

// leastForQuantile is how many values any quantile takes.
const leastForQuantile = 10

// quantile returns a quantile of h in nanoseconds, absent where h has too few values for
// one: with fewer than 1/(1-q) of them it would be the longest, whatever its name.
func quantile(h histogram.Histogram, q float64) Quantity {
	if n := float64(h.Count); n < leastForQuantile || n*(1-q) < 1-1e-9 {
		return Quantity{Unit: Nanoseconds}
	}
	ns, ok := h.Quantile(q)
	return maybe(ns, ok, Nanoseconds)
}

// percent returns the share part/whole in percent, absent when whole is 0.
func percent(part, whole float64) Quantity {
	if whole == 0 {
		return Quantity{Unit: Percent}
	}
	return Of(100*part/whole, Percent)
}
