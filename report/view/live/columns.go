package live

import (
	"fmt"
	"strconv"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

type taskColumn struct {
	Column
	of func(iv *interval, r *row) Cell
}

// rateColumn counts something a second.
func rateColumn(name, help string, rank, width int, count func(*report.Activity) uint64) taskColumn {
	return taskColumn{Column{Name: name, Help: help, Rank: rank, Width: width}, func(iv *interval, r *row) Cell {
		return ofValue(metric.Rate(count(r.Activity), iv.trial.DurationNS))
	}}
}

// timeColumn is a share of the interval.
func timeColumn(name, help string, rank int, ns func(*report.Activity) int64) taskColumn {
	return taskColumn{Column{Name: name, Help: help, Rank: rank, Width: 7}, func(iv *interval, r *row) Cell {
		return ofValue(metric.TimeShare(ns(r.Activity), iv.trial.DurationNS))
	}}
}

// endedColumn is the share of slices that ended for some reasons.
func endedColumn(name, help string, rank int, causes ...report.EndedBy) taskColumn {
	return taskColumn{Column{Name: name, Help: help, Absent: "no slice ended", Rank: rank, Width: 5},
		func(_ *interval, r *row) Cell {
			var n uint64
			for _, cause := range causes {
				n += *r.EndedBy.At(cause)
			}
			all := r.Switches()
			return ofValue(report.Maybe(100*float64(n)/float64(all), all > 0, report.Share))
		}}
}

func waitColumn(name string, q float64, rank int) taskColumn {
	help := fmt.Sprintf("%.0f %% of waits for a core were at most this long", 100*q)
	return taskColumn{Column{Name: name, Help: help, Absent: tooFewHelp(q), Rank: rank, Width: 8},
		func(_ *interval, r *row) Cell { return ofValue(metric.Quantile(r.fill().Waits, q)) }}
}

// taskColumns returns the columns of tasks or their sums.
func taskColumns(by Grouping) []taskColumn {
	columns := identityColumns(by)
	columns = append(columns,
		timeColumn(columnOnCPU, "time on cores: 100 % is one core", 1,
			func(a *report.Activity) int64 { return a.OnCPUNS }),
		rateColumn(columnSwitches, "slices that ended a second", 2, 10, (*report.Activity).Switches),
		rateColumn("voluntary/s", "of them ended by blocking or exiting, as the kernel counts nvcsw", 6, 11,
			(*report.Activity).Voluntary),
		rateColumn("involuntary/s", "of them ended otherwise, as the kernel counts nivcsw", 5, 13,
			(*report.Activity).Involuntary),
		waitColumn("wait p50", 0.5, 8), waitColumn("wait p99", 0.99, 4),
		taskColumn{Column{Name: "longest", Help: "the longest wait that ended, or is under way (so far)",
			Absent: "no wait ended", Rank: 7, Width: 7}, func(_ *interval, r *row) Cell { return r.longest() }},
		timeColumn("waiting", "waits that ended, as a share of the interval; above 100 % for several tasks", 16,
			func(a *report.Activity) int64 { return a.WaitNS }),
		taskColumn{Column{Name: "slice p50", Help: "the median of the slices that ended", Absent: tooFewHelp(0.5),
			Rank: 15, Width: 9}, func(_ *interval, r *row) Cell {
			return ofValue(metric.Quantile(r.fill().Slices, 0.5))
		}},
		endedColumn("block", "share of slices that ended by blocking", 10, report.EndedByBlocked),
		endedColumn("tick", "share of slices that ended because their time was up", 9, report.EndedByTick),
		endedColumn("wake", "share of slices that ended because a task woke that came first", 11, report.EndedByWakeup),
		endedColumn("yield", "share of slices that ended by giving way", 12, report.EndedByYield),
		endedColumn("other", "share of slices that ended by exit, a CPU quota or for other reasons", 14,
			report.EndedByExited, report.EndedByOther, report.EndedByThrottled),
		rateColumn("moves/s", "switches-in on another core than the one before", 13, 7,
			func(a *report.Activity) uint64 { return a.Migrations.Total() }),
		timeColumn("throttled", "time for which CPU quotas kept tasks from running; it is in no wait", 17,
			func(a *report.Activity) int64 { return a.ThrottledNS }),
	)
	if by == ByGroup {
		columns = append(columns, groupColumns()...)
	}
	return columns
}

// identityColumns say what a row stands for.
func identityColumns(by Grouping) []taskColumn {
	help := [...]string{
		ByTask:    "the name that the task gave itself",
		ByProcess: "the name of the process's first thread", ByProgram: "processes of the same name together",
		ByGroup: "the control group: a unit, container, pod or session",
	}[by]
	columns := []taskColumn{{Column{Name: by.String(), Help: help, Text: true, Width: 15},
		func(_ *interval, r *row) Cell { return ofText(r.name()) }}}
	pid := func(name, help string, rank int, of func(*row) int) taskColumn {
		return taskColumn{Column{Name: name, Help: help, Absent: "tasks that were born and ended within the interval",
			Rank: rank, Width: 7}, func(_ *interval, r *row) Cell {
			n := of(r)
			if n == 0 {
				return Cell{}
			}
			return Cell{Text: strconv.Itoa(n), Value: report.Of(float64(n), report.Count)}
		}}
	}
	ofTask := func(r *row) int { _, tid := r.pid(); return int(tid) }
	ofProcess := func(r *row) int { pid, _ := r.pid(); return int(pid) }
	tasksRank := 3
	switch by {
	case ByTask: // only a row of tasks that ended has several
		columns = append(columns, pid("tid", "the task's number", 3, ofTask),
			pid("pid", "the number of its process", 18, ofProcess))
		tasksRank = 19
	case ByProcess:
		columns = append(columns, pid("pid", "the process's number", 3, ofProcess))
	}
	columns = append(columns, taskColumn{
		Column{Name: "tasks", Help: "how many did something, those that ended included", Rank: tasksRank, Width: 5},
		func(_ *interval, r *row) Cell { return ofValue(report.Of(float64(r.tasks()), report.Count)) }})
	if by == ByTask || by == ByProcess {
		columns = append(columns, taskColumn{
			Column{Name: "group", Help: "the control group", Text: true, Rank: 6, Width: 14},
			func(iv *interval, r *row) Cell { return ofText(iv.groupName(r.group())) }})
	}
	return columns
}

// groupColumns are what the kernel tells of control groups.
func groupColumns() []taskColumn {
	return []taskColumn{
		{Column{Name: "quota", Help: "time for which the group's own CPU quota stopped it, added up over cores",
			Absent: "the group has no quota of its own", Rank: 7, Width: 7}, func(iv *interval, r *row) Cell {
			if g := iv.groups[r.group()]; g != nil && g.Throttling != nil {
				return ofValue(metric.TimeShare(g.Throttling.NS, iv.trial.DurationNS))
			}
			return Cell{}
		}},
		{Column{Name: "pressure", Help: "share of time in which some task of the group waited for a core (PSI)",
			Absent: "the kernel does not measure pressure, or not of this group", Rank: 6, Width: 8},
			func(iv *interval, r *row) Cell {
				if g := iv.groups[r.group()]; g != nil && g.Pressure != nil {
					return ofValue(metric.TimeShare(g.Pressure.SomeNS, iv.trial.DurationNS))
				}
				return Cell{}
			}},
	}
}

// cachedTables are the last tables, so that a frame of an interval that was shown before is cheap.
type cachedTables struct {
	cores       *Table
	coresOf     *moment
	coreOptions CoreOptions
	tasks       *Table
	tasksOf     *moment
	taskOptions TaskOptions
}

// Tasks returns the table of the tasks that did something in the interval, or of their sums.
func (m *Model) Tasks(o TaskOptions) *Table {
	if t := m.cached.tasks; t != nil && m.cached.tasksOf == m.shown && m.cached.taskOptions == o {
		return t
	}
	columns := taskColumns(o.By)
	t := &Table{Sort: -1}
	for _, c := range columns {
		t.Columns = append(t.Columns, c.Column)
	}
	if m.shown != nil {
		m.fillTasks(t, columns, o)
	}
	m.cached.tasks, m.cached.tasksOf, m.cached.taskOptions = t, m.shown, o
	return t
}

func (m *Model) fillTasks(t *Table, columns []taskColumn, o TaskOptions) {
	iv := m.shown.interval
	rows := iv.rowsOf(o.By, o.Within)
	t.order = make([]int32, 0, len(rows))
	var matches func(*row) bool
	if o.Filter != "" {
		matches = iv.matcher(o.Filter)
	}
	for i := range rows {
		if matches != nil && !matches(&rows[i]) {
			t.Hidden++
			continue
		}
		t.order = append(t.order, int32(i))
	}
	t.cell = func(row, column int) Cell { return columns[column].of(iv, &rows[row]) }
	t.key = func(row int) Key { return rows[row].key() }
	t.matcher = func(text string) func(int) bool {
		matches := iv.matcher(text)
		return func(row int) bool { return matches(&rows[row]) }
	}
	if s := iv.trial.System; s != nil && (o.Within == Key{}) {
		t.Idle = max(0, int(s.Watched)-len(s.Tasks))
	}
	sort := o.Sort
	if sort == "" || column(t.Columns, sort) < 0 {
		sort = columnOnCPU
	}
	t.sort(sort, o.Ascending, 0)
}
