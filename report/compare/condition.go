package compare

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/internal/words"
)

// Condition is met by a change that is larger than a limit, such as "cost_p50>5%", "operations<-5%"
// or "pipe/threads:cost_p50>5%", or by a figure of the new side that is beyond a limit, such as
// "wait_p99>1ms".
type Condition struct {
	// Workload is a workload, with or without a variant after a space, and Mode a mode; "" for any.
	Workload string
	Mode     report.Mode
	Metric   string
	// Less is true if the condition is met below Limit, false if it is met above.
	Less bool
	// Limit is in percent of the old figure or, if Absolute, in the metric's own unit: nanoseconds,
	// bytes, operations a second, or a plain number.
	Limit    float64
	Absolute bool
	text     string
}

// conditionForm is the syntax, for error messages.
const conditionForm = `[WORKLOAD[/MODE]:]METRIC>LIMIT or METRIC<LIMIT, where LIMIT is a change in percent ` +
	`('cost_p50>5%', 'pipe/threads:operations<-5%') or a value ('wait_p99>1ms', 'operations<1000')`

// ParseCondition parses a condition. Its errors give the syntax and the metrics.
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
		return Condition{}, fmt.Errorf("condition %q: neither > nor <; the form is %s; %s",
			s, conditionForm, metricList())
	}
	c.Metric, c.Less = strings.TrimSpace(rest[:i]), rest[i] == '<'
	if names := MetricNames(); !slices.Contains(names, c.Metric) {
		hint := ""
		if near := words.Nearest(c.Metric, names); near != "" {
			hint = fmt.Sprintf("; did you mean %q?", near)
		}
		return Condition{}, fmt.Errorf("condition %q: there is no metric %q; %s%s", s, c.Metric, metricList(), hint)
	}
	if err := c.limit(strings.TrimSpace(rest[i+1:])); err != nil {
		return Condition{}, fmt.Errorf("condition %q: %w after %c; the form is %s", s, err, rest[i], conditionForm)
	}
	return c, nil
}

// units are the suffixes of absolute limits, with the size of one in the metric's own unit. A
// suffix comes before those that it ends with.
var units = []struct {
	suffix string
	unit   report.Unit
	one    float64
}{
	{"ns", report.Nanoseconds, 1},
	{"µs", report.Nanoseconds, 1e3},
	{"us", report.Nanoseconds, 1e3},
	{"ms", report.Nanoseconds, 1e6},
	{"/s", report.PerSecond, 1},
	{"s", report.Nanoseconds, 1e9},
	{"KiB", report.Bytes, 1 << 10},
	{"MiB", report.Bytes, 1 << 20},
	{"GiB", report.Bytes, 1 << 30},
	{"B", report.Bytes, 1},
}

// limit parses the text after the sign.
func (c *Condition) limit(s string) error {
	number, isPercent := strings.CutSuffix(s, "%")
	one, unit := 1.0, metricUnit(c.Metric)
	c.Absolute = !isPercent
	for _, u := range units {
		if rest, ok := strings.CutSuffix(number, u.suffix); ok && !isPercent {
			if u.unit != unit {
				return fmt.Errorf("%s is not measured in %s", c.Metric, u.suffix)
			}
			number, one = rest, u.one
			break
		}
	}
	value, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	switch {
	case err != nil, finite(value*one) == nil:
		return errors.New("neither a percentage nor a value")
	case c.Absolute && one == 1 && (unit == report.Nanoseconds || unit == report.Bytes) && number == s:
		isSize := unit == report.Bytes
		return fmt.Errorf("a number without a unit: %s is a %s, such as %s",
			c.Metric, words.Choose(isSize, "size", "time"), words.Choose(isSize, "4MiB", "10us"))
	case c.Absolute && unit == report.Percent:
		return fmt.Errorf("a number without %%: for %s, only changes can be limited", c.Metric)
	}
	c.Limit = value * one
	return nil
}

func metricList() string { return "the metrics are " + strings.Join(MetricNames(), ", ") }

// scope parses the text before the colon.
func (c *Condition) scope(s string) error {
	workload, mode, both := strings.Cut(s, "/")
	c.Workload, c.Mode = strings.TrimSpace(workload), report.Mode(strings.TrimSpace(mode))
	modes := []report.Mode{report.Processes, report.Threads, report.Command, report.SystemMode}
	switch {
	case c.Workload == "" && c.Mode == "":
		return errors.New("nothing before the colon")
	case both && !slices.Contains(modes, c.Mode):
		return fmt.Errorf("mode %q is not processes, threads, command or system", c.Mode)
	}
	return nil
}

// String returns the condition as it was written.
func (c Condition) String() string { return c.text }

// covers reports whether the condition applies to a figure.
func (c Condition) covers(x *Change) bool {
	title := report.WorkloadTitle(x.Workload, x.Variant)
	return c.Metric == x.Metric && (c.Mode == "" || c.Mode == x.Mode) &&
		(c.Workload == "" || c.Workload == x.Workload || c.Workload == title)
}
