package render

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/slicetrace/slicetrace/report"
)

// dash stands for what was not measured.
const dash = "–"

// quantity writes a figure with its unit, scaled to three or four digits.
func quantity(q report.Quantity) string {
	if !q.Known {
		return dash
	}
	switch q.Unit {
	case report.Nanoseconds:
		return nanoseconds(q.Value)
	case report.PerSecond:
		return grouped(q.Value) + "/s"
	case report.Percent:
		return percentage(q.Value)
	case report.Share:
		return share(q.Value)
	case report.PPM:
		return grouped(q.Value) + " ppm"
	case report.Ratio:
		return significant(q.Value)
	case report.Index:
		return strconv.FormatFloat(q.Value, 'f', 4, 64)
	case report.Probability:
		if q.Value < 0.001 {
			return "<0.001"
		}
		return strconv.FormatFloat(q.Value, 'f', 3, 64)
	}
	return grouped(q.Value)
}

// nanoseconds scales a time to the unit that leaves one to three digits before the point.
func nanoseconds(ns float64) string {
	const limit = 999.5 // what rounds to 1000 belongs to the next unit
	if ns < limit {
		return strconv.FormatFloat(ns, 'f', 0, 64) + " ns"
	}
	for _, unit := range []string{" µs", " ms"} {
		if ns /= 1000; ns < limit {
			return significant(ns) + unit
		}
	}
	return significant(ns/1000) + " s"
}

// significant writes three digits, or all before the point where there are more.
func significant(x float64) string {
	switch a := math.Abs(x); {
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
	case a < 0.05:
		return "<0.1 %"
	case a >= 99.95 && a < 100:
		return ">99.9 %"
	case a == 100:
		return "100 %"
	}
	return strconv.FormatFloat(p, 'f', 1, 64) + " %"
}

// share writes a percentage in whole numbers, and says so where it is not all or nothing.
func share(p float64) string {
	switch {
	case p > 0 && p < 0.5:
		return "<1 %"
	case p >= 99.5 && p < 100:
		return ">99 %"
	}
	return strconv.FormatFloat(p, 'f', 0, 64) + " %"
}

// grouped writes a whole number in groups of three: 199 730.
func grouped(x float64) string {
	digits := strconv.FormatFloat(math.Abs(x), 'f', 0, 64)
	var b strings.Builder
	if x < 0 {
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

// part writes a label, a figure, or both.
func part(p report.Part) string {
	switch {
	case p.Value.Unit == "":
		return printable(p.Label)
	case p.Label == "":
		return quantity(p.Value)
	}
	return printable(p.Label) + " " + quantity(p.Value)
}

// cell writes one entry of a table, safe for a terminal.
func cell(c report.Cell) string {
	switch {
	case len(c.Parts) > 0:
		parts := make([]string, len(c.Parts))
		for i, p := range c.Parts {
			parts[i] = part(p)
		}
		return strings.Join(parts, ", ")
	case c.Text != "":
		return printable(c.Text)
	case c.Spread.Known:
		return fmt.Sprintf("%s ± %2.0f %%", quantity(c.Value), c.Spread.Value)
	}
	return quantity(c.Value)
}
