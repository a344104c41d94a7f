package view

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

const activityCaption = "On CPU is in percent of one core, and rates are per second, both of the whole watch. " +
	"Wait is the time in which a task was runnable but not running; its quantiles are in steps of half an octave, " +
	"the longest is exact. Involuntary switches are those that the kernel counts in nivcsw."

// most returns at most n entries with the greatest values, the greatest first. Entries without a
// value are left out.
func most[T any](list []T, n int, value func(T) float64) []T {
	kept := slices.DeleteFunc(slices.Clone(list), func(x T) bool { return !(value(x) > 0) })
	slices.SortStableFunc(kept, func(a, b T) int { return cmp.Compare(value(b), value(a)) })
	return kept[:min(n, len(kept))]
}

// moreNote says where the entries are that a section does not show.
func moreNote(n int, what, table string) []string {
	if n <= 0 {
		return nil
	}
	return []string{fmt.Sprintf("%d more %s in: slicetrace export REPORT --table %s", n, what, table)}
}

func (w *watch) rows(few, many int) int {
	if w.full {
		return many
	}
	return few
}

// activityColumns are the columns that groups, processes and tasks have in common.
func activityColumns() []Column {
	return columns("on CPU", "switches\na second", "invol.\na second", "wait\np50", "p99", "longest")
}

func (w *watch) activityCells(s *metric.ActivitySum) Row {
	waits := s.Waits()
	longest := report.Maybe(float64(s.WaitMaxNS), waits.Count > 0, report.Nanoseconds)
	return Row{
		valueCell(w.share(s.OnCPUNS)), w.count(s.Switches()), w.count(s.Involuntary()),
		valueCell(metric.Quantile(waits, 0.5)), valueCell(metric.Quantile(waits, 0.99)), valueCell(longest),
	}
}

// groupSection shows the control groups that used the most CPU.
func (w *watch) groupSection() Section {
	s := Section{
		Title: "Groups",
		Caption: "Control groups by time on cores, without the groups below them. " + activityCaption +
			" Throttled is time for which the group's own CPU quota kept it from cores, added up over cores; " +
			"it is in no wait. Pressure is the share of time in which a task of it waited for a core (PSI).",
		Columns: slices.Concat([]Column{textColumn("group"), textColumn("kind")}, columns("tasks", "short\nlived"),
			activityColumns(), columns("throttled", "pressure")),
	}
	onCPU := func(g *metric.GroupSum) float64 { return float64(g.OnCPUNS) }
	shown := most(w.Groups, w.rows(fewGroups, manyGroups), onCPU)
	var rows Group
	for _, g := range shown {
		row := Row{textCell(w.names[g.ID]), textCell(g.Kind), valueCell(ofCount(g.Tasks)), valueCell(ofCount(g.Ended))}
		row = append(row, w.activityCells(&g.ActivitySum)...)
		throttled, pressure := report.Quantity{Unit: report.Nanoseconds}, report.Quantity{Unit: report.Percent}
		if g.Throttling != nil {
			throttled = report.Of(float64(g.Throttling.NS), report.Nanoseconds)
		}
		if g.Pressure != nil {
			pressure = w.share(g.Pressure.SomeNS)
		}
		rows.Rows = append(rows.Rows, append(row, valueCell(throttled), valueCell(pressure)))
	}
	if len(shown) > 0 {
		s.Groups = []Group{rows}
	}
	s.Notes = moreNote(len(w.Groups)-len(shown), "groups", "groups")
	return s
}

// processSection shows the processes that used the most CPU.
func (w *watch) processSection() Section {
	s := Section{
		Title:   "Processes",
		Caption: "By time on cores; without tasks that began and ended within an interval.",
		Columns: slices.Concat([]Column{{Name: "pid"}, textColumn("process"), textColumn("group"), {Name: "tasks"}},
			activityColumns(), columns("moves\na second")),
	}
	shown := most(w.Processes, w.rows(fewGroups, manyGroups), func(p *metric.ProcessSum) float64 {
		return float64(p.OnCPUNS)
	})
	var rows Group
	for _, p := range shown {
		row := Row{
			textCell(strconv.Itoa(int(p.PID))), textCell(p.Name), textCell(w.names[p.Group]),
			valueCell(ofCount(p.Tasks)),
		}
		row = append(row, w.activityCells(&p.ActivitySum)...)
		rows.Rows = append(rows.Rows, append(row, w.count(p.Migrations.Total())))
	}
	if len(shown) > 0 {
		s.Groups = []Group{rows}
	}
	s.Notes = moreNote(len(w.Processes)-len(shown), "processes", "processes")
	return s
}

// taskOrder is one order in which tasks are shown.
type taskOrder struct {
	name  string
	value func(*metric.TaskSum) float64
}

func taskOrders() []taskOrder {
	return []taskOrder{
		{"most time on cores", func(t *metric.TaskSum) float64 { return float64(t.OnCPUNS) }},
		{"most switches", func(t *metric.TaskSum) float64 { return float64(t.Switches()) }},
		{"most involuntary switches", func(t *metric.TaskSum) float64 { return float64(t.Involuntary()) }},
		{"most time waiting", func(t *metric.TaskSum) float64 { return float64(t.WaitNS) }},
		{"longest wait", func(t *metric.TaskSum) float64 { return float64(t.WaitMaxNS) }},
		{"most moves to other cores", func(t *metric.TaskSum) float64 { return float64(t.Migrations.Total()) }},
	}
}

// taskSection shows the tasks that come first in each order.
func (w *watch) taskSection() Section {
	s := Section{
		Title:   "Tasks",
		Apart:   true,
		Caption: "Those that come first by several figures. Ended by is what ended most of a task's slices.",
		Columns: slices.Concat([]Column{{Name: "tid"}, textColumn("task"), textColumn("group")}, activityColumns(),
			columns("slice\np50", "moves\na second"), []Column{textColumn("ended by")}),
	}
	seen := map[*metric.TaskSum]bool{}
	for _, order := range taskOrders() {
		g := Group{Name: order.name}
		for _, t := range most(w.Tasks, w.rows(fewTasks, manyTasks), order.value) {
			seen[t] = true
			g.Rows = append(g.Rows, w.taskRow(t))
		}
		if len(g.Rows) > 0 {
			s.Groups = append(s.Groups, g)
		}
	}
	s.Notes = moreNote(len(w.Tasks)-len(seen), "tasks", "tasks")
	return s
}

func (w *watch) taskRow(t *metric.TaskSum) Row {
	row := Row{textCell(strconv.Itoa(int(t.Task.TID))), textCell(t.Task.Comm), textCell(w.names[t.Task.Group])}
	row = append(row, w.activityCells(&t.ActivitySum)...)
	return append(row, valueCell(metric.Quantile(t.Slices(), 0.5)), w.count(t.Migrations.Total()),
		causeCell(t.EndedBy, 1))
}
