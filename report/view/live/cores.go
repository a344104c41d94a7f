package live

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
	"github.com/slicetrace/slicetrace/report/sched"
)

// manyCores is the number of cores above which sets of cores have rows, and the worst core is first.
const manyCores = 8

// CoreOptions say how the table of cores is sorted.
type CoreOptions struct {
	// Sort is the name of a column. If it is "", cores are in the order of their numbers or, if there
	// are many, of the time that they lose to switching.
	Sort      string
	Ascending bool
}

// Names of columns by which tables are sorted unless another is chosen.
const (
	columnSwitching = "switching"
	columnSwitches  = "switches/s"
	columnOnCPU     = "on CPU"
)

// coreRow is a core, a set of cores or all of them.
type coreRow struct {
	name string
	*metric.CoreSum
	// moves is nil where migrations are not known.
	moves *report.MigrationCounts
	// all has the costs of classes of switch of which none was timed on these cores.
	all *metric.CoreSum
}

// switching is the share of core time that switches took.
func (r *coreRow) switching() report.Quantity {
	sum := *r.CoreSum
	sum.Classes = slices.Clone(sum.Classes)
	for i := range sum.Classes {
		if sum.Classes[i].Cost.Count == 0 {
			sum.Classes[i].Cost = r.all.Class(sum.Classes[i].Class).Cost
		}
	}
	return sum.SwitchingShare()
}

type coreColumn struct {
	Column
	of func(iv *interval, r *coreRow) Cell
}

func classColumn(name, help string, rank int, classes ...report.Class) coreColumn {
	return coreColumn{
		Column{Name: name, Help: help, Absent: "no switches", Rank: rank, Width: 6},
		func(_ *interval, r *coreRow) Cell { return ofValue(r.ClassShare(classes...)) },
	}
}

const untimedHelp = "no, or too few, switches were timed: see the costs of all cores, or give a longer --interval"

const noQueueHelp = "the length of run queues could not be read"

func coreColumns() []coreColumn {
	return append(append([]coreColumn{
		{Column{Name: "cores", Help: "all cores, sets of cores that share a cache or a node, and each core",
			Text: true, Width: 8}, func(_ *interval, r *coreRow) Cell {
			return Cell{Text: r.name, Value: report.Of(float64(r.CPU), report.Count)}
		}},
		{Column{Name: columnSwitches, Help: "switches of all classes a second", Rank: 1, Width: 8},
			func(iv *interval, r *coreRow) Cell {
				return ofValue(metric.Rate(r.Switches(), iv.trial.DurationNS))
			}},
		classColumn("thread", "share of switches from task to task of the same address space", 10, report.ClassThread),
		classColumn("process", "share of switches from task to task of another address space", 9, report.ClassProcess),
		classColumn("kernel", "share of switches to or from a kernel thread", 11, report.ClassKernel),
		classColumn("idle", "share of switches to or from the idle task", 12, report.ClassIdleIn, report.ClassIdleOut),
	}, costColumns()...), queueColumns()...)
}

func costColumns() []coreColumn {
	cost := func(name string, q float64, rank int) coreColumn {
		help := fmt.Sprintf("%.0f %% of the timed switches took kernel time of at most this", 100*q)
		return coreColumn{Column{Name: name, Help: help, Absent: untimedHelp, Rank: rank, Width: 7},
			func(_ *interval, r *coreRow) Cell { return ofValue(metric.Quantile(r.Cost(), q)) }}
	}
	timed := fmt.Sprintf("from how many timed switches, of the last %d intervals with any, costs are", timedIntervals)
	return []coreColumn{
		cost("cost p50", 0.5, 5), cost("cost p99", 0.99, 8),
		{Column{Name: "timed", Help: timed, Rank: 14, Width: 6}, func(_ *interval, r *coreRow) Cell {
			return ofValue(report.Of(float64(r.Cost().Count), report.Count))
		}},
		{Column{Name: columnSwitching, Help: "share of core time in switches: for each class, switches × mean cost",
			Absent: untimedHelp, Rank: 2, Width: 9},
			func(_ *interval, r *coreRow) Cell { return ofValue(r.switching()) }},
	}
}

func queueColumns() []coreColumn {
	wait := func(name string, q float64, rank int) coreColumn {
		help := fmt.Sprintf("%.0f %% of waits for a core were at most this long", 100*q)
		return coreColumn{Column{Name: name, Help: help, Absent: tooFewHelp(q), Rank: rank, Width: 7},
			func(_ *interval, r *coreRow) Cell { return ofValue(metric.Quantile(r.Wait, q)) }}
	}
	moves := func(name, help string, of func(report.MigrationCounts) uint64) coreColumn {
		return coreColumn{
			Column{Name: name, Help: help, Absent: "known of all cores together only", Rank: 13, Width: 6},
			func(iv *interval, r *coreRow) Cell {
				if r.moves == nil {
					return Cell{}
				}
				return ofValue(metric.Rate(of(*r.moves), iv.trial.DurationNS))
			}}
	}
	return []coreColumn{
		{Column{Name: "busy", Help: "share of core time that was not idle", Rank: 3, Width: 7},
			func(_ *interval, r *coreRow) Cell { return ofValue(r.Busy()) }},
		{Column{Name: "queue", Help: "mean number of runnable tasks on a core, the running one included",
			Absent: noQueueHelp, Rank: 4, Width: 5},
			func(_ *interval, r *coreRow) Cell { return ofValue(r.QueueMean()) }},
		{Column{Name: "longest", Help: "the greatest length of a run queue", Absent: noQueueHelp, Rank: 7, Width: 7},
			func(_ *interval, r *coreRow) Cell {
				return ofValue(report.Maybe(float64(r.Queue.Max), r.Queue.ObservedNS > 0, report.Count))
			}},
		wait("wait p50", 0.5, 8), wait("wait p99", 0.99, 6),
		moves("near/s", "migrations a second to another core with the same last-level cache",
			func(m report.MigrationCounts) uint64 { return m.Sibling + m.Cache }),
		moves("far/s", "migrations a second to another last-level cache or node",
			func(m report.MigrationCounts) uint64 { return m.Node + m.Remote }),
	}
}

// tooFewHelp says why a quantile is absent.
func tooFewHelp(q float64) string {
	return fmt.Sprintf("fewer than %d waits or slices", max(metric.LeastForQuantile, int(1/(1-q)+0.5)))
}

// Cores returns the table of cores: all together, sets of cores if there are many, and each core.
func (m *Model) Cores(o CoreOptions) *Table {
	if t := m.cached.cores; t != nil && m.cached.coresOf == m.shown && m.cached.coreOptions == o {
		return t
	}
	columns := coreColumns()
	t := &Table{Sort: -1}
	for _, c := range columns {
		t.Columns = append(t.Columns, c.Column)
	}
	if m.shown != nil {
		rows, sums := m.coreRows()
		for i := range rows {
			t.order = append(t.order, int32(i))
		}
		iv := m.shown.interval
		t.cell = func(row, column int) Cell { return columns[column].of(iv, &rows[row]) }
		t.key = func(row int) Key { return Key{Name: rows[row].name} }
		switch {
		case o.Sort != "":
			t.sort(o.Sort, o.Ascending, sums)
		case len(rows)-sums > manyCores && m.shown.all.SwitchingShare().Known:
			t.sort(columnSwitching, false, sums)
		case len(rows)-sums > manyCores:
			t.sort(columnSwitches, false, sums)
		}
	}
	m.cached.cores, m.cached.coresOf, m.cached.coreOptions = t, m.shown, o
	return t
}

// coreRows returns the rows, of which the first ones are sums.
func (m *Model) coreRows() (rows []coreRow, sums int) {
	iv := m.shown.interval
	rows = append(rows, coreRow{name: "all", CoreSum: &iv.all, moves: cmp.Or(iv.all.Moves, &iv.moves), all: &iv.all})
	if len(iv.cores) > manyCores {
		for _, g := range m.groups {
			part := newInterval(onlyCores(iv.trial, g.CPUs), costsOf(onlyTimed(m.shown.timed, g.CPUs)))
			rows = append(rows, coreRow{name: g.Name, CoreSum: &part.all, moves: part.all.Moves, all: &iv.all})
		}
	}
	sums = len(rows)
	for i := range iv.cores {
		c := &iv.cores[i]
		rows = append(rows, coreRow{name: fmt.Sprintf("core %d", c.CPU), CoreSum: c, moves: c.Moves, all: &iv.all})
	}
	return rows, sums
}

// onlyCores returns a trial that has nothing but what happened on some cores.
func onlyCores(t *report.Trial, cpus []sched.CPU) *report.Trial {
	out := &report.Trial{DurationNS: t.DurationNS, Cores: coresAmong(t.Cores, cpus)}
	if t.System != nil {
		out.System = &report.System{
			Queues: slices.DeleteFunc(slices.Clone(t.System.Queues),
				func(q report.RunQueue) bool { return !slices.Contains(cpus, q.CPU) }),
			Arrivals: slices.DeleteFunc(slices.Clone(t.System.Arrivals),
				func(a report.CoreArrivals) bool { return !slices.Contains(cpus, a.CPU) }),
		}
	}
	return out
}

func onlyTimed(timed [][]report.Core, cpus []sched.CPU) (out [][]report.Core) {
	for _, cores := range timed {
		out = append(out, coresAmong(cores, cpus))
	}
	return out
}

func coresAmong(cores []report.Core, cpus []sched.CPU) []report.Core {
	return slices.DeleteFunc(slices.Clone(cores), func(c report.Core) bool { return !slices.Contains(cpus, c.CPU) })
}
