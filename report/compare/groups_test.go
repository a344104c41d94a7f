package compare_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/compare"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

// inGroup returns a copy of a watch in which the tasks of one group had a core longer by a factor.
func inGroup(r *report.Report, name string, factor float64) *report.Report {
	out := reporttest.Copy(r)
	for i := range out.Trials {
		s := out.Trials[i].System
		for _, g := range s.Groups {
			for j := range s.Tasks {
				if t := &s.Tasks[j]; g.Name == name && t.Group == g.ID {
					t.OnCPUNS = int64(float64(t.OnCPUNS) * factor)
				}
			}
		}
	}
	return out
}

// groupChange returns a figure of a group.
func groupChange(t *testing.T, c *compare.Comparison, group, metric string) compare.Change {
	t.Helper()
	for _, x := range c.Pairs[0].Groups {
		if x.Variant == group && x.Metric == metric {
			return x
		}
	}
	t.Fatalf("no %s of %s", metric, group)
	return compare.Change{}
}

// What changed in one group is found there, and nowhere else.
func TestGroupsOfWatchesInTurns(t *testing.T) {
	var sides [2][]*report.Report
	a, b := reporttest.Turns(watched(), watched(), 6, 0.01, 1)
	for i := range a {
		noise := 1 + 0.002*float64(i%3)
		sides[0] = append(sides[0], inGroup(a[i], "db0.service", noise))
		sides[1] = append(sides[1], inGroup(b[i], "db0.service", 1.3*noise))
	}
	c := comparedRuns(t, sides[0], sides[1])
	changed := 0
	for _, x := range c.Pairs[0].Groups {
		if x.Outcome == compare.Changed {
			changed++
		}
		if x.Primary || x.Mode != report.SystemMode || x.Workload != "" {
			t.Errorf("%+v", x)
		}
	}
	x := groupChange(t, c, "db0.service", "on_cpu")
	if changed != 1 || x.Outcome != compare.Changed || *x.Percent < 20 || *x.Percent > 30 || x.Unit != report.Percent {
		t.Errorf("%d figures changed; %+v", changed, x)
	}
	if place := x.Place(); place != "group db0.service" {
		t.Errorf("its place is %q", place)
	}
	for _, figure := range c.Pairs[0].Changes {
		if figure.Metric == "on_cpu" {
			t.Error("the whole system has the figure of a group")
		}
	}
}

// group returns a group with one task, which had its core for some part of the interval.
func group(s *report.System, id uint64, path, name string, onCPU int64) {
	s.Groups = append(s.Groups, report.Group{ID: id, Path: path, Kind: "unit", Name: name})
	s.Tasks = append(s.Tasks, report.Task{Activity: report.Activity{OnCPUNS: onCPU}, TID: 1, Group: id})
}

// systemOf is a watch with an interval of a second for each system.
func systemOf(systems ...*report.System) *report.Report {
	r := watched()
	r.Trials = nil
	for i, s := range systems {
		r.Trials = append(r.Trials, report.Trial{
			Mode: report.SystemMode, Round: i + 1, DurationNS: 1e9, System: s,
			Cores: []report.Core{{WallNS: 1e9}},
		})
	}
	return r
}

// An interval in which a group did nothing counts, and groups of the same name go by their paths.
func TestGroupsAreMatched(t *testing.T) {
	first, second, third := &report.System{}, &report.System{}, &report.System{}
	group(first, 7, "/a/db", "db", 1e8)
	group(first, 8, "/b/db", "db", 3e8)
	group(first, 9, "/only/old", "old", 1e8)
	group(third, 7, "/a/db", "db", 2e8)
	other := &report.System{}
	group(other, 17, "/a/db", "db", 5e8)
	group(other, 18, "/b/db", "db", 6e8)
	group(other, 19, "/new", "new", 6e8)
	c := compared(t, systemOf(first, second, third), systemOf(other))
	for name, want := range map[string][2]float64{"/a/db": {10, 50}, "/b/db": {0, 60}} {
		x := groupChange(t, c, name, "on_cpu")
		if x.Old.Median != want[0] || x.New.Median != want[1] || x.Old.N != 3 || x.New.N != 1 {
			t.Errorf("%s: %+v, %+v", name, x.Old, x.New)
		}
	}
	text := strings.Join(c.Pairs[0].Warnings, " ")
	if !strings.Contains(text, "groups of the old side that not all runs have: old.") ||
		!strings.Contains(text, "groups of the new side that not all runs have: new.") {
		t.Errorf("it is said: %s", text)
	}
	for _, m := range c.Pairs[0].Missing {
		if m.Variant != "" {
			t.Errorf("%+v", m)
		}
	}
}

// Of very many groups, those with the most time on cores are compared.
func TestVeryManyGroups(t *testing.T) {
	s := &report.System{}
	for i := range 1000 {
		group(s, uint64(i), fmt.Sprintf("/g%d", i), fmt.Sprintf("g%d", i), int64(i+1)*1e5)
	}
	c := compared(t, systemOf(s), systemOf(s))
	names := map[string]bool{}
	for _, x := range c.Pairs[0].Groups {
		names[x.Variant] = true
	}
	if len(names) != 200 || !names["g999"] || !names["g800"] || names["g799"] {
		t.Errorf("%d groups are compared", len(names))
	}
}
