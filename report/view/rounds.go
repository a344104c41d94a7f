package view

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"golang.org/x/perf/benchmath"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/stats"
)

// rounds is one metric of one load in one mode, round by round: a trial is one
// sample, since its switches are not independent of each other.
type rounds struct {
	// unit is that of the values.
	unit report.Unit
	// values hold one value a trial, and round the number of its round.
	values []float64
	round  []int
	// longest is the metric's: the greatest value is shown, not the median.
	longest bool
}

// sampleRounds returns a metric of some trials, one value for each trial that has it.
func sampleRounds(trials []*report.Trial, m metric) rounds {
	s := rounds{longest: m.longest}
	for _, t := range trials {
		if q := m.of(t); q.Known {
			s.unit, s.values, s.round = q.Unit, append(s.values, q.Value), append(s.round, t.Round)
		}
	}
	return s
}

// sample copies the values, since NewSample sorts them in place.
func (s rounds) sample() *benchmath.Sample {
	thresholds := benchmath.DefaultThresholds
	return benchmath.NewSample(slices.Clone(s.values), &thresholds)
}

// summary returns the median and its confidence interval, which is infinite
// for too few rounds. There must be a value.
func (s rounds) summary() benchmath.Summary {
	return benchmath.AssumeNothing.Summary(s.sample(), stats.Confidence)
}

// cell returns the median and its interval, or the greatest value, which has none; a
// lone round has no spread to speak of.
func (s rounds) cell(notes map[string]bool) Cell {
	if len(s.values) == 0 {
		return Cell{}
	}
	if s.longest {
		return valueCell(report.Of(slices.Max(s.values), s.unit))
	}
	sum := s.summary()
	addNotes(notes, sum.Warnings)
	return Cell{Value: report.Of(sum.Center, s.unit), Spread: spread(sum.Center, sum.Lo, sum.Hi)}
}

// spread returns how far an interval reaches from its centre, in percent of it.
func spread(center, low, high float64) report.Quantity {
	if center == 0 || math.IsInf(low, 0) || math.IsInf(high, 0) {
		return report.Quantity{Unit: report.Percent}
	}
	return report.Of(100*math.Max(high-center, center-low)/math.Abs(center), report.Percent)
}

// compareCells returns the ratio of a to b and the p-value of their difference.
// Without a significant difference there is no ratio.
func compareCells(a, b rounds, notes map[string]bool) []Cell {
	d := compare(a, b)
	if d.n == 0 {
		return []Cell{{}, {}}
	}
	addNotes(notes, d.warnings)
	if !d.significant() {
		return []Cell{textCell("~"), valueCell(report.Of(d.p, report.Probability))}
	}
	return []Cell{d.cell(), valueCell(report.Of(d.p, report.Probability))}
}

// addNotes keeps the statistics' warnings, each once.
func addNotes(notes map[string]bool, warnings []error) {
	for _, w := range warnings {
		notes[w.Error()] = true
	}
}

// tooFewRounds is roundNotes for a report with too few rounds. Of others a figure may be
// absent here and there, which more rounds do not mend.
func tooFewRounds(r *report.Report, notes map[string]bool) []string {
	last := 0
	for i := range r.Trials {
		last = max(last, r.Trials[i].Round)
	}
	if last >= stats.LeastPairs {
		return nil
	}
	return roundNotes(notes)
}

// roundNotes turns the statistics' warnings into one sentence with its remedy.
func roundNotes(notes map[string]bool) []string {
	if len(notes) == 0 {
		return nil
	}
	var all []string
	for n := range notes {
		all = append(all, n)
	}
	slices.Sort(all)
	return []string{fmt.Sprintf("A round is one sample: %s. Ask for more with --rounds.", strings.Join(all, "; "))}
}
