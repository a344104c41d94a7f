package metric

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/perf/benchmath"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/stats"
)

// Rounds is one metric of one load in one mode, round by round. A trial is one sample, since its
// switches are not independent of each other.
type Rounds struct {
	// Unit is the unit of the values.
	Unit report.Unit
	// Values hold one value per trial, and Round the numbers of their rounds.
	Values []float64
	Round  []int
	// Longest is Metric.Longest: the greatest value is shown, not the median.
	Longest bool
}

// Sample returns a metric of some trials, one value for each trial that has it.
func Sample(trials []*report.Trial, m Metric) Rounds {
	s := Rounds{Longest: m.Longest}
	for _, t := range trials {
		if q := m.Of(t); q.Known {
			s.Unit, s.Values, s.Round = q.Unit, append(s.Values, q.Value), append(s.Round, t.Round)
		}
	}
	return s
}

// sample copies the values, since NewSample sorts them in place.
func (s Rounds) sample() *benchmath.Sample {
	thresholds := benchmath.DefaultThresholds
	return benchmath.NewSample(slices.Clone(s.Values), &thresholds)
}

// Summary returns the median and its confidence interval, which is infinite if there are too few
// rounds. There must be at least one value.
func (s Rounds) Summary() benchmath.Summary {
	return benchmath.AssumeNothing.Summary(s.sample(), stats.Confidence)
}

// AddNotes adds the texts of warnings to notes.
func AddNotes(notes map[string]bool, warnings []error) {
	for _, w := range warnings {
		notes[w.Error()] = true
	}
}

// RoundNotes joins the statistics' warnings to one sentence with advice.
func RoundNotes(notes map[string]bool) []string {
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
