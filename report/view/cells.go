package view

import (
	"math"
	"slices"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
	"github.com/slicetrace/slicetrace/report/stats"
)

// ofCount returns a known count of things.
func ofCount[T int | int64 | uint64](n T) report.Quantity { return report.Of(float64(n), report.Count) }

// percent returns the share part/whole in percent, absent if whole is 0.
func percent(part, whole float64) report.Quantity {
	if whole == 0 {
		return report.Quantity{Unit: report.Percent}
	}
	return report.Of(100*part/whole, report.Percent)
}

// ratioCell returns the ratio with its interval: as ± the wider side, or by its ends if ± would
// include 1 although the interval does not.
func ratioCell(d metric.Difference) Cell {
	if !d.Known {
		return Cell{}
	}
	c := Cell{Value: report.Of(d.Center, report.Ratio)}
	if !d.Bounded() {
		return c
	}
	reach := max(d.High-d.Center, d.Center-d.Low)
	if holdsOne(d.Low, d.High) != holdsOne(d.Center-reach, d.Center+reach) {
		c.Low, c.High = report.Of(d.Low, report.Ratio), report.Of(d.High, report.Ratio)
		return c
	}
	c.Spread = spread(d.Center, d.Low, d.High)
	return c
}

func holdsOne(low, high float64) bool { return low <= 1 && high >= 1 }

// medianCell returns the median with its interval, or the greatest value, which has none. A single
// round has no interval either.
func medianCell(s metric.Rounds, notes map[string]bool) Cell {
	if len(s.Values) == 0 {
		return Cell{}
	}
	if s.Longest {
		return valueCell(report.Of(slices.Max(s.Values), s.Unit))
	}
	sum := s.Summary()
	metric.AddNotes(notes, sum.Warnings)
	return Cell{Value: report.Of(sum.Center, s.Unit), Spread: spread(sum.Center, sum.Lo, sum.Hi)}
}

// spread returns how far an interval reaches from its centre, in percent of the centre.
func spread(center, low, high float64) report.Quantity {
	if center == 0 || math.IsInf(low, 0) || math.IsInf(high, 0) {
		return report.Quantity{Unit: report.Percent}
	}
	return report.Of(100*math.Max(high-center, center-low)/math.Abs(center), report.Percent)
}

// compareCells returns the ratio of a to b and the p-value of their difference. If the difference
// is not significant, it returns ~ in place of the ratio.
func compareCells(a, b metric.Rounds, notes map[string]bool) []Cell {
	d := metric.Compare(a, b)
	if d.N == 0 {
		return []Cell{{}, {}}
	}
	metric.AddNotes(notes, d.Warnings)
	if !d.Significant() {
		return []Cell{textCell("~"), valueCell(report.Of(d.P, report.Probability))}
	}
	return []Cell{ratioCell(d), valueCell(report.Of(d.P, report.Probability))}
}

// tooFewRounds is metric.RoundNotes for a report with too few rounds. In other reports, figures may
// be absent from some rounds, which more rounds do not change.
func tooFewRounds(r *report.Report, notes map[string]bool) []string {
	if lastRound(r) >= stats.LeastPairs {
		return nil
	}
	return metric.RoundNotes(notes)
}

// lastRound is the number of the last round.
func lastRound(r *report.Report) (last int) {
	for i := range r.Trials {
		last = max(last, r.Trials[i].Round)
	}
	return last
}

// threeDigits rounds a rate to three digits. Other units are shown with so many anyway.
func threeDigits(q report.Quantity) report.Quantity {
	if q.Unit == report.PerSecond && q.Value >= 1000 {
		step := math.Pow10(int(math.Log10(q.Value)) - 2)
		q.Value = math.Round(q.Value/step) * step
	}
	return q
}

// groupOf returns an empty group with the load's name, which the only command of a report does not need.
func groupOf(r *report.Report, l metric.Load) Group {
	if l.IsCommand() && len(r.Setup.Commands) < 2 || l.IsSystem() {
		return Group{}
	}
	return Group{Name: l.Name, Variant: l.Variant}
}
