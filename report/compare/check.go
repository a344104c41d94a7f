package compare

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/internal/words"
	"github.com/slicetrace/slicetrace/report/stats"
)

// CheckOptions say how conditions are judged.
type CheckOptions struct {
	// Interval holds a condition met only where the whole 95 % interval is beyond the
	// limit, else where a significant change's estimate is.
	Interval bool
}

// Checked is what became of one condition. Of the figures that it covers some meet it,
// some are shown to be within the limit (the whole interval is), and the rest is undecided.
type Checked struct {
	Condition string `json:"condition"`
	Covered   int    `json:"covered"`
	Within    int    `json:"within"`
	Undecided int    `json:"undecided"`
	// Missing counts those of the undecided that not all runs have, and Untested those of
	// which nothing tells how much they vary.
	Missing  int      `json:"missing"`
	Untested int      `json:"untested"`
	Met      []string `json:"met"`
}

// Check judges conditions and keeps what became of them in Checked. A change is
// significant among all figures that the condition covers, together: q ≤ 0.05, as for
// primary figures. A condition that covers no figure is an error, lest a gate stands
// open unseen.
func (c *Comparison) Check(conditions []Condition, o CheckOptions) error {
	for _, condition := range conditions {
		all := Checked{Condition: condition.String(), Met: []string{}}
		for i := range c.Pairs {
			one := c.Pairs[i].check(condition, o)
			all.Covered += one.Covered
			all.Within += one.Within
			all.Undecided += one.Undecided
			all.Missing += one.Missing
			all.Untested += one.Untested
			for _, place := range one.Met {
				if len(c.Pairs) > 1 {
					place += " in " + c.Pairs[i].New.Name
				}
				all.Met = append(all.Met, place)
			}
		}
		if all.Covered == 0 {
			return fmt.Errorf("check condition %q: the reports share no such figure; --verbose shows those that they share", condition)
		}
		c.Checked = append(c.Checked, all)
	}
	return nil
}

// check judges a condition in one pair.
func (p *Pair) check(condition Condition, o CheckOptions) Checked {
	var out Checked
	var family []Change
	for i := range p.Changes {
		if condition.covers(&p.Changes[i]) {
			x := p.Changes[i]
			x.Primary = true
			family = append(family, x)
		}
	}
	if p.decider != nil {
		d := *p.decider // what it asks for is of all primary figures
		d.judge(family)
	}
	for _, m := range p.Missing { // the worst that can become of a figure
		whole := Change{Workload: m.Workload, Variant: m.Variant, Mode: m.Mode, Metric: cmp.Or(m.Metric, condition.Metric)}
		if m.OnlyIn != "new" && len(family) > 0 && condition.covers(&whole) {
			out.Missing++
		}
	}
	out.Covered, out.Undecided = len(family)+out.Missing, out.Missing
	for i := range family {
		x := &family[i]
		switch met, within := condition.judge(x, o); {
		case met:
			out.Met = append(out.Met, condition.place(x))
		case within:
			out.Within++
		default:
			out.Undecided++
			if x.Outcome == Untested && !condition.Absolute || condition.Absolute && o.Interval && x.New.Low == nil && !condition.longest() {
				out.Untested++
			}
		}
	}
	return out
}

// place says where a condition is met, and by how much.
func (c Condition) place(x *Change) string {
	value := x.Difference().String()
	if c.Absolute {
		value = report.Of(x.New.Median, x.Unit).String()
	}
	return fmt.Sprintf("%s %s (%s)", report.WorkloadTitle(x.Workload, x.Variant), x.Mode, value)
}

// judge reports whether a figure meets the condition, or is shown not to.
func (c Condition) judge(x *Change, o CheckOptions) (met, within bool) {
	estimate, low, high := x.Size(), x.PercentLow, x.PercentHigh
	// However small, if it is told apart among all.
	told := x.Outcome == Changed || x.Outcome == Small && x.Q <= 1-stats.Confidence
	if c.Absolute && c.longest() && x.New.Low == nil {
		return c.beyond(x.New.Median), !c.beyond(x.New.Median) // a longest value is what it is
	}
	if c.Absolute {
		estimate, low, high, told = x.New.Median, x.New.Low, x.New.High, true
	}
	near, far := low, high // the interval's ends as seen from the limit's safe side
	if c.Less {
		near, far = high, low
	}
	switch {
	case !told || !c.beyond(estimate):
	case !o.Interval:
		return true, false
	case near != nil && c.beyond(*near):
		return true, false
	}
	if far == nil { // there is no interval, but what does not differ at all changed by nothing
		return false, !c.Absolute && x.Outcome == Alike && x.Old.Median == x.New.Median && !c.beyond(0)
	}
	return false, !c.beyond(*far)
}

// beyond reports whether a value is on the limit's other side.
func (c Condition) beyond(value float64) bool {
	return c.Less && value < c.Limit || !c.Less && value > c.Limit
}

// longest reports whether the metric is a longest value.
func (c Condition) longest() bool { return c.Metric == "wait_max" }

// Undecidable returns an error if a condition could not have been met, whatever the
// figures: a gate that can never close is no gate.
func (c *Comparison) Undecidable() error {
	for _, one := range c.Checked {
		if len(one.Met) > 0 || one.Untested+one.Missing < one.Covered {
			continue
		}
		return fmt.Errorf("check condition %q: nothing tells how much these figures vary. %s", one.Condition, strings.Join(c.Pairs[0].Basis.Sentences(), " "))
	}
	return nil
}

// Sentence says what became of the condition.
func (c Checked) Sentence() string {
	if len(c.Met) > 0 {
		return fmt.Sprintf("%s is met by %s", c.Condition, words.List(c.Met, 4))
	}
	lacking := ""
	if c.Missing > 0 {
		lacking = fmt.Sprintf(", %d of which not all runs have", c.Missing)
	}
	return fmt.Sprintf("%s is met by none of %s: %d shown to be within it, %d not decided%s",
		c.Condition, words.Plural(c.Covered, "figure"), c.Within, c.Undecided, lacking)
}
