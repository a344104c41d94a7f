package compare

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/histogram"
	"github.com/slicetrace/slicetrace/report/internal/words"
	"github.com/slicetrace/slicetrace/report/metric"
)

// mostGroups is how many control groups of a watch are compared: those with the most time on cores.
const mostGroups = 200

// groupMetrics are the metrics of a control group, and of nothing else: each interval is a trial in
// which the group is a single task.
func groupMetrics() []compared {
	waits := func(t *report.Trial) histogram.Histogram {
		var all histogram.Histogram
		for a := range t.System.Activities() {
			all.Merge(a.Waits)
		}
		return all
	}
	return []compared{
		{"on_cpu", metric.New("on CPU", report.Percent, func(t *report.Trial) (float64, bool) {
			cores, ok := t.Parallelism()
			return 100 * cores, ok
		})},
		{"switches", metric.ActivityRate("switches", (*report.Activity).Switches)},
		{"involuntary", metric.InvoluntaryRate()}, {"migrations", metric.MigrationRate()},
		{"wait_mean", metric.New("wait mean", report.Nanoseconds, func(t *report.Trial) (float64, bool) {
			return waits(t).Mean()
		})},
		{"wait_p99", metric.Metric{Name: "wait p99", Of: func(t *report.Trial) report.Quantity {
			return metric.Quantile(waits(t), p99)
		}}},
		{"wait_max", metric.LongestWait()}, {"throttled", metric.ThrottledShare()},
	}
}

// groupTrials returns the intervals of a watch by control group. A group is called by its name or, if
// others have that too, by its path. Intervals in which it did nothing count.
func groupTrials(r *report.Report) map[string][]*report.Trial {
	trials := metric.SystemTrials(r)
	all := metric.Gather(trials)
	groups := slices.DeleteFunc(all.Groups, func(g *metric.GroupSum) bool { return g.Path == "" })
	slices.SortStableFunc(groups, func(a, b *metric.GroupSum) int { return cmp.Compare(b.OnCPUNS, a.OnCPUNS) })
	groups = groups[:min(len(groups), mostGroups)]
	named := map[string]int{}
	for _, g := range groups {
		named[g.Name]++
	}
	out := map[string][]*report.Trial{}
	for _, t := range trials {
		did := map[uint64]*metric.GroupSum{}
		for _, g := range metric.Gather([]*report.Trial{t}).Groups {
			did[g.ID] = g
		}
		for _, g := range groups {
			name := g.Name
			if name == "" || named[name] > 1 {
				name = g.Path
			}
			system := &report.System{}
			if now := did[g.ID]; now != nil {
				system.Tasks = []report.Task{{Activity: now.Activity()}}
			}
			out[name] = append(out[name], &report.Trial{
				Mode: report.SystemMode, Round: t.Round, DurationNS: t.DurationNS, System: system,
			})
		}
	}
	return out
}

// groups returns the names of the control groups of any run, sorted, and how many runs have each.
func (s side) groups() (names []string, runs map[string]int) {
	runs = map[string]int{}
	for _, f := range s.figures {
		for name := range f.groups {
			if runs[name]++; runs[name] == 1 {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names, runs
}

// addGroups compares the control groups that all runs have, and returns a warning for each side that
// has others.
func (m *matcher) addGroups(to *[]Change) (warnings []string) {
	oldNames, was := m.old.groups()
	newNames, is := m.new.groups()
	inAll := func(name string) bool {
		return was[name] == len(m.old.runs) && is[name] == len(m.new.runs)
	}
	for _, name := range oldNames {
		if !inAll(name) {
			continue
		}
		trials := func(f figures) []*report.Trial { return f.groups[name] }
		for _, c := range groupMetrics() {
			at := Change{Variant: name, Mode: report.SystemMode, Metric: c.key}
			m.add(to, at, c.Metric, trials)
		}
	}
	for _, side := range []struct {
		name  string
		names []string
	}{{"old", oldNames}, {"new", newNames}} {
		if others := slices.DeleteFunc(side.names, inAll); len(others) > 0 {
			warnings = append(warnings, fmt.Sprintf("groups of the %s side that not all runs have: %s.", side.name,
				words.List(others, 4)))
		}
	}
	return warnings
}
