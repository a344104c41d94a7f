package compare

import (
	"encoding/json"
	"math"
	"slices"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
	"github.com/slicetrace/slicetrace/report/stats"
)

// Change is one figure in two reports, and whether the difference is one.
type Change struct {
	Workload string      `json:"workload"`
	Variant  string      `json:"variant,omitempty"`
	Mode     report.Mode `json:"mode"`
	// Core and Class are the place and kind of switch; nil and "" for the
	// trial's own kind of switch on all cores, and for what is not of switches.
	Core  *int         `json:"core,omitempty"`
	Class report.Class `json:"class,omitempty"`
	// Metric is one of MetricNames.
	Metric string      `json:"metric"`
	Unit   report.Unit `json:"unit"`
	Old    Estimate    `json:"old"`
	New    Estimate    `json:"new"`
	// Primary figures are few, and are decided together: see Pair.Basis.
	Primary bool `json:"primary"`
	// Percent is by how much the new figure is more (or, below 0, less) than the
	// old one: the ratio of the geometric means over runs, with its 95 % interval. Nil
	// where a figure is 0 or negative; the interval also where nothing tells how much
	// runs vary.
	Percent     *float64 `json:"percent"`
	PercentLow  *float64 `json:"percent_low"`
	PercentHigh *float64 `json:"percent_high"`
	// Detectable is the rise, in percent, that would be found nine times in ten.
	Detectable *float64 `json:"detectable_percent"`
	// P is the test's for this figure alone. Q is adjusted: of a primary figure for all
	// of them (the chance that any would differ as much), else Benjamini and Hochberg's.
	P float64 `json:"p"`
	Q float64 `json:"q"`
	// Outcome says what to make of it.
	Outcome Outcome `json:"outcome"`
	runs    inRuns
}

// MarshalJSON gives a figure that was not tested no probabilities.
func (c Change) MarshalJSON() ([]byte, error) {
	type plain Change
	if c.Outcome != Untested {
		return json.Marshal(plain(c))
	}
	return json.Marshal(struct {
		plain
		P *float64 `json:"p"`
		Q *float64 `json:"q"`
	}{plain: plain(c)})
}

// Estimate is the median over N samples with its 95 % confidence interval, nil for too
// few of them. A sample is a run, or of a lone run a round.
type Estimate struct {
	Median float64  `json:"median"`
	Low    *float64 `json:"low"`
	High   *float64 `json:"high"`
	N      int      `json:"n"`
}

// Outcome says whether a figure changed.
type Outcome string

// The outcomes.
const (
	// Changed figures are told apart by the test (p ≤ 0.05), and not only because so
	// many were tested: q ≤ 0.05 too.
	Changed Outcome = "changed"
	// Doubtful figures have p ≤ 0.05, but so many were tested that chance
	// alone may be the cause.
	Doubtful Outcome = "doubtful"
	// Small figures are told apart too, and differ by less than 1 %.
	Small Outcome = "small"
	// Alike figures are not told apart by the test.
	Alike Outcome = "alike"
	// Untested figures have nothing that tells a change from what varies between runs.
	Untested Outcome = "untested"
)

// title names the figure and where it is from.
func (c *Change) title() string {
	return c.Metric + " of " + report.WorkloadTitle(c.Workload, c.Variant) + " in " + string(c.Mode)
}

// fewRuns is the 95 % interval of what runs have, for fewer of them than the order of values
// tells of one: Student's, of their logarithms. Nil for fewer than three, and without logarithms.
func fewRuns(values []float64) (low, high *float64) {
	logs, ratio := inRuns{old: values}.logs()
	if len(values) < 3 || !ratio {
		return nil, nil
	}
	half := stats.StudentQuantile(1-(1-stats.Confidence)/2, len(values)-1) * stats.Deviation(logs.old) / math.Sqrt(float64(len(values)))
	center := stats.Mean(logs.old)
	return finite(math.Exp(center - half)), finite(math.Exp(center + half))
}

// estimate sums up one side's samples: of a lone run its rounds. Warnings of too few go
// into notes, which is nil for runs.
func estimate(s metric.Rounds, notes map[string]bool) (e Estimate, ok bool) {
	sum := s.Summary()
	if finite(sum.Center) == nil {
		return e, false
	}
	e = Estimate{Median: sum.Center, N: len(s.Values)}
	if notes == nil && len(s.Values) < stats.LeastPairs {
		e.Low, e.High = fewRuns(s.Values)
		return e, true
	}
	if s.Longest {
		e.Median = slices.Max(s.Values)
		return e, true
	}
	if notes != nil {
		metric.AddNotes(notes, sum.Warnings)
	}
	if finite(sum.Lo) != nil && finite(sum.Hi) != nil {
		e.Low, e.High = &sum.Lo, &sum.Hi
	}
	return e, true
}

// Size is the change in percent, infinite where there was nothing before.
func (c *Change) Size() float64 {
	if c.Percent != nil {
		return *c.Percent
	}
	switch old, now := c.Old.Median, c.New.Median; {
	case old > 0:
		return 100 * (now/old - 1)
	case now > old:
		return math.Inf(1)
	case now < old:
		return math.Inf(-1)
	}
	return 0
}

// Difference is the change as it is shown, in percent; absent where that has no bound.
func (c *Change) Difference() report.Quantity {
	if c.Percent == nil {
		return report.Maybe(c.Size(), finite(c.Size()) != nil, report.Difference)
	}
	return report.Of(*c.Percent, report.Difference)
}
