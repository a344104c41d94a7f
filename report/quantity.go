package report

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

// Maybe returns a quantity that is absent unless ok.
func Maybe(value float64, ok bool, unit Unit) Quantity {
	if !ok {
		return Quantity{Unit: unit}
	}
	return Of(value, unit)
}
