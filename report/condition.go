package report

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Condition is met by a change that is larger than a limit, such as
// "cost_p50>5%", "operations<-5%" or "pipe/threads:cost_p50>5%".
type Condition struct {
	// Workload is a name, with or without a variant after a space, and Mode a
	// mode; "" for any.
	Workload string
	Mode     Mode
	Metric   string
	// Less says that the change must be below Percent, else above it.
	Less    bool
	Percent float64
	text    string
}

// conditionForm is what an error shows.
const conditionForm = `[WORKLOAD[/MODE]:]METRIC>N% or METRIC<N%, such as 'cost_p50>5%' or 'pipe/threads:operations<-5%'`

// ParseCondition reads a condition. Its errors say what the form is and which metrics there are.
func ParseCondition(s string) (Condition, error) {
	c := Condition{text: s}
	rest := s
	if i := strings.LastIndexByte(s, ':'); i >= 0 {
		rest = s[i+1:]
		if err := c.scope(s[:i]); err != nil {
			return Condition{}, fmt.Errorf("condition %q: %w; the form is %s", s, err, conditionForm)
		}
	}
	i := strings.IndexAny(rest, "<>")
	if i < 0 {
		return Condition{}, fmt.Errorf("condition %q: neither > nor <; the form is %s; %s", s, conditionForm, metricList())
	}
	c.Metric, c.Less = strings.TrimSpace(rest[:i]), rest[i] == '<'
	if names := MetricNames(); !slices.Contains(names, c.Metric) {
		hint := ""
		if near := nearest(c.Metric, names); near != "" {
			hint = fmt.Sprintf("; did you mean %q?", near)
		}
		return Condition{}, fmt.Errorf("condition %q: there is no metric %q; %s%s", s, c.Metric, metricList(), hint)
	}
	number, isPercent := strings.CutSuffix(strings.TrimSpace(rest[i+1:]), "%")
	limit, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if !isPercent || err != nil || finite(limit) == nil {
		return Condition{}, fmt.Errorf("condition %q: no percentage after %c; the form is %s", s, rest[i], conditionForm)
	}
	c.Percent = limit
	return c, nil
}

func metricList() string { return "the metrics are " + strings.Join(MetricNames(), ", ") }

// scope reads what stands before the colon.
func (c *Condition) scope(s string) error {
	workload, mode, both := strings.Cut(s, "/")
	c.Workload, c.Mode = strings.TrimSpace(workload), Mode(strings.TrimSpace(mode))
	switch {
	case c.Workload == "" && c.Mode == "":
		return errors.New("nothing before the colon")
	case both && !slices.Contains([]Mode{Processes, Threads, Command}, c.Mode):
		return fmt.Errorf("mode %q is not processes, threads or command", c.Mode)
	}
	return nil
}

// String returns the condition as it was written.
func (c Condition) String() string { return c.text }

// covers reports whether the condition is about a figure.
func (c Condition) covers(x *Change) bool {
	title := load{name: x.Workload, variant: x.Variant}.title()
	return c.Metric == x.Metric && (c.Mode == "" || c.Mode == x.Mode) &&
		(c.Workload == "" || c.Workload == x.Workload || c.Workload == title)
}

// metBy reports whether a change is beyond the limit.
func (c Condition) metBy(x *Change) bool {
	p := x.size()
	return c.Less && p < c.Percent || !c.Less && p > c.Percent
}

// size is the change in percent; without bound where there was nothing before.
func (c *Change) size() float64 {
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

// Check returns a sentence for each condition that a significant change
// meets. Significant is meant among all figures that the condition covers:
// q ≤ 0.05, as for Changed. A condition that covers no figure, or none with
// enough trials to be tested, is an error, lest a gate stands open unseen.
func (c *Comparison) Check(conditions []Condition) (met []string, err error) {
	for _, condition := range conditions {
		covered, tested := 0, 0
		for i := range c.Pairs {
			found, all, able := c.Pairs[i].check(condition)
			covered, tested = covered+all, tested+able
			if len(found) == 0 {
				continue
			}
			sentence := fmt.Sprintf("%s is met by %s", condition, listed(found, 4))
			if len(c.Pairs) > 1 {
				sentence += " in " + c.Pairs[i].New.Name
			}
			met = append(met, sentence)
		}
		switch {
		case covered == 0:
			return nil, fmt.Errorf("check condition %q: the reports share no such figure; --verbose shows those that they share", condition)
		case tested == 0:
			return nil, fmt.Errorf("check condition %q: too few trials to tell a change from chance; measure with more --rounds", condition)
		}
	}
	return met, nil
}

// check returns what meets the condition, how many figures it covers, and how
// many of these have enough trials to be tested.
func (p *Pair) check(condition Condition) (met []string, covered, tested int) {
	var family []Change
	for i := range p.Changes {
		if condition.covers(&p.Changes[i]) {
			family = append(family, p.Changes[i])
		}
	}
	judge(family)
	for i := range family {
		x := &family[i]
		if x.Outcome != Untested {
			tested++
		}
		if x.Outcome == Changed && condition.metBy(x) {
			met = append(met, fmt.Sprintf("%s %s (%s)", load{name: x.Workload, variant: x.Variant}.title(), x.Mode, x.percent()))
		}
	}
	return met, len(family), tested
}

// listed names at most limit things.
func listed(all []string, limit int) string {
	if n := len(all); n > limit {
		return fmt.Sprintf("%s and %d more", strings.Join(all[:limit], ", "), n-limit)
	}
	return strings.Join(all, ", ")
}
