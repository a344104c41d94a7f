package view

import (
	"fmt"
	"math"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/internal/words"
	"github.com/slicetrace/slicetrace/report/metric"
	"github.com/slicetrace/slicetrace/report/stats"
)

// Chart is a plot of points on one axis, with a row for each thing that is compared. Its figures
// are those of the table beside it.
type Chart struct {
	// Title is the name of the axis, and Caption says how to read the points.
	Title, Caption string
	// Series are the names of a row's points, in the order in which they are drawn.
	Series []string
	// Ratio is true if points are ratios, shown around 1; otherwise they are times.
	Ratio bool
	Rows  []ChartRow
}

// ChartRow is one line of a chart.
type ChartRow struct {
	// Group is the name that several rows share, "" for none.
	Group, Label string
	Points       []Point
}

// Point is one figure of a row.
type Point struct {
	// Series is the index in Chart.Series.
	Series int
	Value  report.Quantity
	// Low and High are the ends of its interval, absent if there is none.
	Low, High report.Quantity
	// Faint is true if the test finds no difference: the ratio's distance from 1 is noise.
	Faint bool
	// Text is the figure as it is written in the table.
	Text Cell
}

// add adds points whose value is known.
func (c *ChartRow) add(points ...Point) {
	for _, p := range points {
		if p.Value.Known && p.Value.Value > 0 && !math.IsInf(p.Value.Value, 0) {
			c.Points = append(c.Points, p)
		}
	}
}

// ratioChart plots processes ÷ threads of one metric for each load.
func ratioChart(r *report.Report, loads []metric.Load, m metric.Metric) *Chart {
	c := &Chart{
		Title: m.Name + ", processes ÷ threads", Ratio: true, Series: []string{"ratio"},
		Caption: fmt.Sprintf("Typical ratio within a round with its %.0f %% interval, logarithmic axis. "+
			"Right of 1 processes have more, left of it threads. "+
			"Hollow: the rounds show no difference (signed-rank test).", 100*stats.Confidence),
	}
	for _, l := range loads {
		processes := metric.Sample(metric.TrialsOf(r, l, report.Processes), m)
		threads := metric.Sample(metric.TrialsOf(r, l, report.Threads), m)
		d := metric.Compare(processes, threads)
		if !d.Known {
			continue
		}
		p := Point{
			Value: report.Of(d.Center, report.Ratio), Faint: !d.Significant(),
			Text: compareCells(processes, threads, map[string]bool{})[0],
		}
		if d.Bounded() {
			p.Low, p.High = report.Of(d.Low, report.Ratio), report.Of(d.High, report.Ratio)
		}
		line := ChartRow{Label: l.Title()}
		if line.add(p); len(line.Points) > 0 {
			c.Rows = append(c.Rows, line)
		}
	}
	return c.unlessEmpty()
}

// modesChart plots the medians over rounds of a time, a series for each mode.
func modesChart(r *report.Report, loads []metric.Load, m metric.Metric) *Chart {
	what := words.Choose(m.Longest, "The longest of all rounds", "Medians over rounds")
	c := &Chart{Title: m.Name, Caption: what + ", logarithmic axis."}
	for _, mode := range metric.BundledModes(r) {
		c.Series = append(c.Series, string(mode))
	}
	for _, l := range loads {
		line := ChartRow{Label: l.Title()}
		for i, mode := range metric.BundledModes(r) {
			if s := metric.Sample(metric.TrialsOf(r, l, mode), m); len(s.Values) > 0 {
				cell := medianCell(s, map[string]bool{})
				cell.Spread = report.Quantity{}
				line.add(Point{Series: i, Value: cell.Value, Text: cell})
			}
		}
		if len(line.Points) > 0 {
			c.Rows = append(c.Rows, line)
		}
	}
	return c.unlessEmpty()
}

// unlessEmpty returns nil for a chart without rows.
func (c *Chart) unlessEmpty() *Chart {
	if len(c.Rows) == 0 {
		return nil
	}
	return c
}
