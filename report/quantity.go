package report

// Unit is what a Quantity counts. A renderer scales the quantity accordingly.
type Unit string

// The units.
const (
	Nanoseconds Unit = "ns"
	Count       Unit = "count"
	PerSecond   Unit = "per_second"
	TimeRate    Unit = "ns_per_second" // a time in each second that passed, such as of several tasks together
	Percent     Unit = "percent"
	Share       Unit = "share" // a percentage that is shown in whole numbers
	PPM         Unit = "ppm"
	Ratio       Unit = "ratio" // a ratio or an average count, shown with three digits
	Index       Unit = "index" // 0 to 1, shown with four decimals
	Probability Unit = "probability"
	Bytes       Unit = "bytes"
	Difference  Unit = "difference" // by how many percent a figure is above or below another
)

// Quantity is a figure with its unit. The zero Quantity is absent: it was not measured, which is
// not the same as zero.
type Quantity struct {
	Value float64
	Unit  Unit
	Known bool
}

// Of returns a known quantity.
func Of(value float64, unit Unit) Quantity {
	return Quantity{Value: value, Unit: unit, Known: true}
}

// Maybe returns a known quantity if ok is true, otherwise an absent one.
func Maybe(value float64, ok bool, unit Unit) Quantity {
	if !ok {
		return Quantity{Unit: unit}
	}
	return Of(value, unit)
}
