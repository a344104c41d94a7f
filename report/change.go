package report

import (
	"math"

	"golang.org/x/perf/benchmath"
)

// Change is one figure in two reports, and whether the difference is one.
type Change struct {
	Workload string `json:"workload"`
	Variant  string `json:"variant,omitempty"`
	Mode     Mode   `json:"mode"`
	// Core and Class are the place and kind of switch; nil and "" for the
	// trial's own kind of switch on all cores, and for what is not of switches.
	Core  *int  `json:"core,omitempty"`
	Class Class `json:"class,omitempty"`
	// Metric is one of MetricNames.
	Metric string   `json:"metric"`
	Unit   Unit     `json:"unit"`
	Old    Estimate `json:"old"`
	New    Estimate `json:"new"`
	// Percent is by how much the new figure is more (or, below 0, less) than the
	// old one: the Hodges–Lehmann estimate over all pairs of trials, with its
	// 95 % interval. Nil where an old figure is 0 or one is negative; the
	// interval also with too few trials.
	Percent     *float64 `json:"percent"`
	PercentLow  *float64 `json:"percent_low"`
	PercentHigh *float64 `json:"percent_high"`
	// P is the Mann–Whitney test's. Q is Benjamini and Hochberg's over all
	// figures of the pair of reports that were tested.
	P float64 `json:"p"`
	Q float64 `json:"q"`
	// Outcome says what to make of it.
	Outcome Outcome `json:"outcome"`
}

// Estimate is the median over N trials with its 95 % confidence interval, nil
// for too few trials.
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
	// Changed figures are told apart by the test (p ≤ 0.05), and not only
	// because so many were tested: q ≤ 0.05 too, or all trials of one report
	// exceed all of the other, which is the most that so few trials can say.
	Changed Outcome = "changed"
	// Doubtful figures have p ≤ 0.05, but so many were tested that chance
	// alone may be the cause.
	Doubtful Outcome = "doubtful"
	// Alike figures are not told apart by the test.
	Alike Outcome = "alike"
	// Untested figures have too few trials to be ever told apart.
	Untested Outcome = "untested"
)

// change compares two samples, neither of them empty; ok is false for figures
// beyond what a number can hold.
func (m *matcher) change(a, b rounds) (c Change, ok bool) {
	old, sum := a.summary(), b.summary()
	if finite(old.Center) == nil || finite(sum.Center) == nil {
		return c, false
	}
	p, unsure := mannWhitney(a, b)
	addNotes(m.notes, unsure)
	addNotes(m.notes, old.Warnings)
	addNotes(m.notes, sum.Warnings)
	c = Change{Unit: a.unit, Old: estimate(old, len(a.values)), New: estimate(sum, len(b.values)), P: p, Q: 1}
	if factor, low, high, ok := m.shifts.factor(a.values, b.values); ok {
		c.Percent = finite(100 * (factor - 1))
		if !math.IsInf(high, 0) {
			c.PercentLow, c.PercentHigh = finite(100*(low-1)), finite(100*(high-1))
		}
	}
	c.Outcome = Alike
	if leastP(c.Old.N, c.New.N) > benchmath.DefaultThresholds.CompareAlpha {
		c.Outcome = Untested
	}
	return c, true
}

func estimate(s benchmath.Summary, n int) Estimate {
	e := Estimate{Median: s.Center, N: n}
	if finite(s.Lo) != nil && finite(s.Hi) != nil {
		e.Low, e.High = &s.Lo, &s.Hi
	}
	return e
}

// judge decides the outcomes of changes that were tested together.
func judge(changes []Change) {
	var p []float64
	for i := range changes {
		if changes[i].Outcome != Untested {
			p = append(p, changes[i].P)
		}
	}
	q := adjust(p)
	for i := range changes {
		c := &changes[i]
		if c.Outcome == Untested {
			continue
		}
		c.Q, q = q[0], q[1:]
		c.Outcome = c.outcome(c.Q)
	}
}

// outcome decides by p and by a q among some family of figures.
func (c *Change) outcome(q float64) Outcome {
	const rounding = 1 + 1e-9
	level := benchmath.DefaultThresholds.CompareAlpha
	switch {
	case c.Outcome == Untested:
		return Untested
	case c.P > level:
		return Alike
	case q <= level, c.P <= leastP(c.Old.N, c.New.N)*rounding:
		return Changed
	}
	return Doubtful
}
