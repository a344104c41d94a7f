package compare

import (
	"encoding/json"
	"math"
	"slices"
	"strings"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
	"github.com/slicetrace/slicetrace/report/sched"
	"github.com/slicetrace/slicetrace/report/stats"
)

// Change is one figure in two reports, and whether it changed.
type Change struct {
	Workload string      `json:"workload"`
	Variant  string      `json:"variant,omitempty"`
	Mode     report.Mode `json:"mode"`
	// Core and Class are the core and the class of switch. They are nil and "" for the switches of
	// the trial's mode on all cores, and for figures that are not about switches.
	Core  *sched.CPU   `json:"core,omitempty"`
	Class report.Class `json:"class,omitempty"`
	// State and Stack are what tasks did at a stack of a watch, and its functions as folded stacks have
	// them, the outermost first; "" for other figures. Frames are these functions, the innermost first.
	State  report.State   `json:"state,omitempty"`
	Stack  string         `json:"stack,omitempty"`
	Frames []report.Frame `json:"-"`
	// OnlyIn is "old" or "new" if no run of the other side has the stack.
	OnlyIn string `json:"only_in,omitempty"`
	// Metric is one of MetricNames, or one of a control group or stack.
	Metric string      `json:"metric"`
	Unit   report.Unit `json:"unit"`
	Old    Estimate    `json:"old"`
	New    Estimate    `json:"new"`
	// Primary figures are few, and are decided together; see Pair.Basis.
	Primary bool `json:"primary"`
	// Percent is by how much the new figure is above (or, if negative, below) the old one: the
	// ratio of the geometric means over runs, with its 95 % interval. It is nil if a figure is 0 or
	// negative. The interval is nil too if nothing shows how much runs vary.
	Percent     *float64 `json:"percent"`
	PercentLow  *float64 `json:"percent_low"`
	PercentHigh *float64 `json:"percent_high"`
	// Detectable is the rise, in percent, that would be found nine times in ten.
	Detectable *float64 `json:"detectable_percent"`
	// P is the p-value for this figure alone. Q is adjusted for the number of figures: for a
	// primary figure it is the probability that any of them would differ as much, for others it is
	// Benjamini and Hochberg's.
	P float64 `json:"p"`
	Q float64 `json:"q"`
	// Outcome says whether the figure changed.
	Outcome Outcome `json:"outcome"`
	runs    inRuns
}

// MarshalJSON omits the probabilities of a figure that was not tested.
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

// Estimate is the median of N samples with its 95 % confidence interval, nil if there are too few.
// A sample is a run or, if the side has only one run, a round.
type Estimate struct {
	Median float64  `json:"median"`
	Low    *float64 `json:"low"`
	High   *float64 `json:"high"`
	N      int      `json:"n"`
}

// Outcome is the conclusion about a figure.
type Outcome string

// The outcomes.
const (
	// Changed figures differ significantly (p ≤ 0.05), even considering how many were tested (q ≤
	// 0.05).
	Changed Outcome = "changed"
	// Doubtful figures have p ≤ 0.05, but so many were tested that chance alone may be the reason.
	Doubtful Outcome = "doubtful"
	// Small figures differ significantly, but by less than 1 %.
	Small Outcome = "small"
	// Alike figures do not differ significantly.
	Alike Outcome = "alike"
	// Untested figures cannot be tested, since nothing shows how much runs vary.
	Untested Outcome = "untested"
)

// title names the figure and its workload and mode.
func (c *Change) title() string {
	name := c.Metric + " of " + report.WorkloadTitle(c.Workload, c.Variant)
	switch c.Mode {
	case report.Command:
		return name
	case report.SystemMode:
		return c.Metric + " of the system"
	}
	return name + " in " + string(c.Mode)
}

// Place names the workload and mode of the figure.
func (c *Change) Place() string { return place(c.Workload, c.Variant, c.Mode) }

// Place names what is missing.
func (m Missing) Place() string { return place(m.Workload, m.Variant, m.Mode) }

// place is the mode alone for a watched system, which has no workload, or the name of its group.
func place(workload, variant string, mode report.Mode) string {
	if mode == report.SystemMode && variant != "" {
		return "group " + variant
	}
	return strings.TrimSpace(report.WorkloadTitle(workload, variant) + " " + string(mode))
}

// fewRuns returns the 95 % interval of a figure in runs that are too few for an interval of order
// statistics: Student's, of their logarithms. It returns nil for fewer than three runs, and if a
// value has no logarithm.
func fewRuns(values []float64) (low, high *float64) {
	logs, ratio := inRuns{old: values}.logs()
	if len(values) < 3 || !ratio {
		return nil, nil
	}
	quantile := stats.StudentQuantile(1-(1-stats.Confidence)/2, len(values)-1)
	half := quantile * stats.Deviation(logs.old) / math.Sqrt(float64(len(values)))
	center := stats.Mean(logs.old)
	return finite(math.Exp(center - half)), finite(math.Exp(center + half))
}

// estimate summarises the samples of one side, which are rounds if it has only one run. It adds
// warnings about too few samples to notes, which is nil for runs.
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

// Size is the change in percent, infinite if the old figure was 0.
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

// Difference is the change in percent as it is shown, absent if it is infinite.
func (c *Change) Difference() report.Quantity {
	if c.Percent == nil {
		return report.Maybe(c.Size(), finite(c.Size()) != nil, report.Difference)
	}
	return report.Of(*c.Percent, report.Difference)
}
