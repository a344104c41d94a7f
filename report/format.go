package report

import (
	"math"
	"strconv"
	"strings"
)

// Dash is shown for a figure that was not measured.
const Dash = "–"

// String writes the figure with its unit, scaled to three or four digits. An absent figure is a
// dash.
func (q Quantity) String() string {
	if !q.Known {
		return Dash
	}
	switch q.Unit {
	case Nanoseconds:
		return nanoseconds(q.Value)
	case PerSecond:
		return grouped(q.Value) + "/s"
	case TimeRate:
		return nanoseconds(q.Value) + "/s"
	case Percent:
		return percentage(q.Value)
	case Share:
		return share(q.Value)
	case PPM:
		return grouped(q.Value) + " ppm"
	case Ratio:
		return significant(q.Value)
	case Index:
		return strconv.FormatFloat(q.Value, 'f', 4, 64)
	case Difference:
		return signed(q.Value)
	case Bytes:
		return amount(q.Value)
	case Probability:
		if q.Value < 0.001 {
			return "<0.001"
		}
		return strconv.FormatFloat(q.Value, 'f', 3, 64)
	}
	return grouped(q.Value)
}

// nanoseconds scales a time, or a difference of times, to the unit that leaves one to
// three digits before the point.
func nanoseconds(ns float64) string {
	const limit = 999.5 // a figure that rounds to 1000 gets the next unit
	if math.Abs(ns) < limit {
		return grouped(ns) + " ns"
	}
	for _, unit := range []string{" µs", " ms"} {
		if ns /= 1000; math.Abs(ns) < limit {
			return significant(ns) + unit
		}
	}
	return significant(ns/1000) + " s"
}

// amount scales an amount of memory by powers of 1024.
func amount(n float64) string {
	const limit = 1023.5
	if math.Abs(n) < limit {
		return grouped(n) + " B"
	}
	for _, unit := range []string{" KiB", " MiB"} {
		if n /= 1024; math.Abs(n) < limit {
			return significant(n) + unit
		}
	}
	return significant(n/1024) + " GiB"
}

// significant writes three digits, or all before the point if there are more.
func significant(x float64) string {
	switch a := math.Abs(x); {
	case a < 0.000005:
		return "0.00"
	case a < 0.9995:
		decimals := 2 - int(math.Floor(math.Log10(a*1.0005))) // as if it were rounded up first
		return strconv.FormatFloat(x, 'f', decimals, 64)
	case a < 9.995:
		return strconv.FormatFloat(x, 'f', 2, 64)
	case a < 99.95:
		return strconv.FormatFloat(x, 'f', 1, 64)
	}
	return grouped(x)
}

func percentage(p float64) string {
	switch a := math.Abs(p); {
	case a == 0:
		return "0 %"
	case a < 0.05 && p < 0:
		return ">-0.1 %"
	case a < 0.05:
		return "<0.1 %"
	case a >= 99.95 && a < 100 && p < 0:
		return "<-99.9 %"
	case a >= 99.95 && a < 100:
		return ">99.9 %"
	case a == 100:
		return strconv.FormatFloat(p, 'f', 0, 64) + " %"
	}
	return strconv.FormatFloat(p, 'f', 1, 64) + " %"
}

// share writes a percentage in whole numbers, but never rounds to nothing or to everything.
func share(p float64) string {
	switch {
	case p > 0 && p < 0.5:
		return "<1 %"
	case p >= 99.5 && p < 100:
		return ">99 %"
	}
	return strconv.FormatFloat(p, 'f', 0, 64) + " %"
}

// signed writes a difference in percent with its sign.
func signed(p float64) string { return signedNumber(p) + " %" }

// signedNumber is signed without the unit.
func signedNumber(p float64) string {
	switch text := magnitude(p); {
	case text == "0.0":
		return text
	case p < 0:
		return "-" + text
	default:
		return "+" + text
	}
}

// magnitude writes the size of a difference in percent, without sign and unit.
func magnitude(p float64) string {
	if math.Abs(p) >= 999.95 {
		return grouped(math.Abs(p))
	}
	return strconv.FormatFloat(math.Abs(p), 'f', 1, 64)
}

// Magnitude writes the size of a difference in percent, whatever its sign.
func Magnitude(percent float64) string { return magnitude(percent) + " %" }

// DifferenceRange writes the differences in percent between which a figure is, with the unit once.
func DifferenceRange(low, high float64) string { return signedNumber(low) + " to " + signed(high) }

// grouped writes a whole number in groups of three: 199 730.
func grouped(x float64) string {
	digits := strconv.FormatFloat(math.Abs(x), 'f', 0, 64)
	var b strings.Builder
	if x < 0 && digits != "0" {
		b.WriteByte('-')
	}
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(d)
	}
	return b.String()
}
