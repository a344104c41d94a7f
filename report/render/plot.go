package render

import (
	"math"
	"strconv"
	"strings"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/view"
)

// plot is a chart with its layout: positions are percentages of its width.
type plot struct {
	*view.Chart
	Ticks []tick
	Rows  []plotRow
	// Lone is true if each row has only one point, whose figure is shown beside it.
	Lone bool
}

type tick struct {
	At, Label string
	// Main is true for the line at 1, where there is no difference.
	Main bool
}

type plotRow struct {
	// Group is only set in the first row of a group.
	Group, Label, Figure string
	Marks                []mark
}

// mark is one point. Each series has its own shape, so that it can be told without colour.
type mark struct {
	At, From, To string
	Series       int
	Faint        bool
	Title        string
}

func newPlot(c *view.Chart) *plot {
	if c == nil {
		return nil
	}
	p := &plot{Chart: c, Lone: len(c.Series) == 1}
	a := axisOf(c)
	for _, v := range a.ticks() {
		p.Ticks = append(p.Ticks, tick{a.at(v), tidy(report.Of(v, a.unit).String()), c.Ratio && v == 1})
	}
	group := ""
	for _, r := range c.Rows {
		row := plotRow{Label: Printable(r.Label)}
		if r.Group != group {
			group = r.Group
			row.Group = Printable(group)
		}
		for _, point := range r.Points {
			m := mark{At: a.at(point.Value.Value), Series: point.Series, Faint: point.Faint}
			if point.Low.Known && point.High.Known {
				m.From, m.To = a.at(point.Low.Value), a.at(point.High.Value)
			}
			row.Figure = cell(point.Text)
			m.Title = c.Series[point.Series] + " " + row.Figure
			row.Marks = append(row.Marks, m)
		}
		p.Rows = append(p.Rows, row)
	}
	return p
}

// axis is a logarithmic axis from low to high.
type axis struct {
	low, high float64
	unit      report.Unit
}

// axisOf returns an axis that spans all points of a chart, with some margin on both sides.
func axisOf(c *view.Chart) axis {
	a := axis{math.Inf(1), 0, report.Nanoseconds}
	if c.Ratio {
		a = axis{0.8, 1.25, report.Ratio}
	}
	for _, r := range c.Rows {
		for _, p := range r.Points {
			for _, q := range []report.Quantity{p.Value, p.Low, p.High} {
				if q.Known && q.Value > 0 && !math.IsInf(q.Value, 0) {
					a.low, a.high = math.Min(a.low, q.Value), math.Max(a.high, q.Value)
				}
			}
		}
	}
	// Values that only an altered file can hold are shown at the edge.
	a.low, a.high = math.Min(math.Max(a.low, 1e-9), 1e18), math.Max(math.Min(a.high, 1e18), 1e-9)
	room := math.Max(math.Pow(a.high/a.low, 0.04), 1.02) // so that an axis with one point has a width
	a.low, a.high = a.low/room, a.high*room
	return a
}

func (a axis) at(v float64) string {
	if v <= 0 {
		return "0%" // the left end
	}
	share := (math.Log(v) - math.Log(a.low)) / (math.Log(a.high) - math.Log(a.low))
	return strconv.FormatFloat(100*math.Min(1, math.Max(0, share)), 'f', 2, 64) + "%"
}

// ticks returns round numbers: 1, 2 and 5 of each decade, or only 1 if there are many decades.
func (a axis) ticks() []float64 {
	digits := []float64{1, 2, 5}
	if a.high/a.low < 4 {
		digits = []float64{1, 1.2, 1.5, 2, 3, 4, 5, 6, 7, 8, 9}
	}
	if a.high/a.low > 300 {
		digits = []float64{1}
	}
	var out []float64
	for e := math.Floor(math.Log10(a.low)); e <= math.Ceil(math.Log10(a.high)); e++ {
		for _, d := range digits {
			if v := d * math.Pow(10, e); v >= a.low && v <= a.high {
				out = append(out, v)
			}
		}
	}
	return out
}

// tidy removes zeros after the point, which are useless on an axis.
func tidy(s string) string {
	number, unit, spaced := strings.Cut(s, " ")
	if strings.Contains(number, ".") {
		number = strings.TrimSuffix(strings.TrimRight(number, "0"), ".")
	}
	if spaced {
		return number + " " + unit
	}
	return number
}
