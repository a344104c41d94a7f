package compare

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/internal/words"
	"github.com/slicetrace/slicetrace/report/stats"
)

// CheckOptions are the rules by which conditions are judged.
type CheckOptions struct {
	// Interval makes a condition met only if the whole 95 % interval is beyond the limit. Otherwise
	// it is met if the change is significant and its estimate is beyond the limit.
	Interval bool
}

// Checked is the result of one condition. Of the figures that it covers, some meet it, some are
// shown to be within the limit (their whole interval is), and the rest are undecided.
type Checked struct {
	Condition string `json:"condition"`
	Covered   int    `json:"covered"`
	Within    int    `json:"within"`
	Undecided int    `json:"undecided"`
	// Missing counts the undecided figures that not all runs have, and Untested those for which
	// nothing shows how much they vary.
	Missing  int      `json:"missing"`
	Untested int      `json:"untested"`
	Met      []string `json:"met"`
}

// Check judges conditions and appends the results to Checked. A change is significant among all
// figures that the condition covers: q ≤ 0.05, as for primary figures. A condition that covers no
// figure is an error, since otherwise a mistake in it would disable the check without notice.
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
			return fmt.Errorf("check condition %q: the reports have no such figure in common; "+
				"--verbose shows those that they have", condition)
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
		d := *p.decider // a copy, since judge sets the number of runs needed for all primary figures
		d.judge(family)
	}
	for _, m := range p.Missing {
		whole := Change{
			Workload: m.Workload, Variant: m.Variant, Mode: m.Mode, Metric: cmp.Or(m.Metric, condition.Metric),
		}
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
			noVariation := x.Outcome == Untested && !condition.Absolute
			noInterval := condition.Absolute && o.Interval && x.New.Low == nil && !condition.longest()
			if noVariation || noInterval {
				out.Untested++
			}
		}
	}
	return out
}

// place names the workload and mode in which a condition is met, and the value.
func (c Condition) place(x *Change) string {
	value := x.Difference().String()
	if c.Absolute {
		value = report.Of(x.New.Median, x.Unit).String()
	}
	return fmt.Sprintf("%s (%s)", x.Place(), value)
}

// judge reports whether a figure meets the condition, or is shown to be within the limit.
func (c Condition) judge(x *Change, o CheckOptions) (met, within bool) {
	estimate, low, high := x.Size(), x.PercentLow, x.PercentHigh
	// Small changes count too, if they are significant among all figures.
	significant := x.Outcome == Changed || x.Outcome == Small && x.Q <= 1-stats.Confidence
	if c.Absolute && c.longest() && x.New.Low == nil {
		return c.beyond(x.New.Median), !c.beyond(x.New.Median) // a longest value has no interval
	}
	if c.Absolute {
		estimate, low, high, significant = x.New.Median, x.New.Low, x.New.High, true
	}
	near, far := low, high // near is the end of the interval that is closer to the safe side
	if c.Less {
		near, far = high, low
	}
	switch {
	case !significant || !c.beyond(estimate):
	case !o.Interval:
		return true, false
	case near != nil && c.beyond(*near):
		return true, false
	}
	if far == nil { // without an interval, only a figure that did not change at all is within the limit
		unchanged := x.Outcome == Alike && x.Old.Median == x.New.Median
		return false, !c.Absolute && unchanged && !c.beyond(0)
	}
	return false, !c.beyond(*far)
}

// beyond reports whether a value violates the limit.
func (c Condition) beyond(value float64) bool {
	return c.Less && value < c.Limit || !c.Less && value > c.Limit
}

// longest reports whether the metric is a longest value.
func (c Condition) longest() bool { return c.Metric == "wait_max" }

// Undecidable returns an error if a condition could not have been met, whatever the figures are:
// such a check would never fail.
func (c *Comparison) Undecidable() error {
	for _, one := range c.Checked {
		if len(one.Met) > 0 || one.Untested+one.Missing < one.Covered {
			continue
		}
		return fmt.Errorf("check condition %q: nothing shows how much these figures vary. %s",
			one.Condition, strings.Join(c.Pairs[0].Basis.Sentences(), " "))
	}
	return nil
}

// Sentence states the result of the condition.
func (c Checked) Sentence() string {
	if len(c.Met) > 0 {
		return fmt.Sprintf("%s is met by %s", c.Condition, words.List(c.Met, 4))
	}
	lacking := ""
	if c.Missing > 0 {
		lacking = fmt.Sprintf(", %d of them because not all runs have them", c.Missing)
	}
	return fmt.Sprintf("%s: none of %s meets it; %d are shown to be within it, %d are not decided%s",
		c.Condition, words.Plural(c.Covered, "figure"), c.Within, c.Undecided, lacking)
}
