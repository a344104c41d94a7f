package live_test

import (
	"math"
	"reflect"
	"slices"
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/sched"
	"github.com/slicetrace/slicetrace/report/view/live"
)

// small is an interval of 2 s on two cores whose figures can be computed in one's head.
func small() *report.Trial {
	waits := reporttest.HistogramOf(100, 10_000)
	toolNS := int64(20_000_000)
	type names struct{ comm, process string }
	task := func(pid sched.PID, tid sched.TID, of names, group uint64, onCPU int64, blocked, tick uint64) report.Task {
		return report.Task{
			PID: pid, TID: tid, Comm: of.comm, Process: of.process, Group: group,
			Activity: report.Activity{
				OnCPUNS: onCPU, WaitNS: 1_000_000, Waits: waits, Slices: waits,
				EndedBy:    report.CauseCounts{Blocked: blocked, Tick: tick},
				Migrations: report.MigrationCounts{Cache: 6, Remote: 2},
			},
		}
	}
	class := func(c report.Class, n, timed uint64) report.ClassStats {
		return report.ClassStats{Class: c, Switches: n, Cost: reporttest.HistogramOf(timed, 1000)}
	}
	return &report.Trial{
		Mode: report.SystemMode, DurationNS: 2e9, ToolNS: &toolNS,
		Cores: []report.Core{
			{CPU: 0, WallNS: 2e9, IdleNS: 1e9, WorkersNS: 1e9, Wait: waits, Classes: []report.ClassStats{
				class(report.ClassThread, 30_000, 100), class(report.ClassProcess, 10_000, 100)}},
			{CPU: 3, WallNS: 2e9, IdleNS: 2e9, Classes: []report.ClassStats{class(report.ClassIdleIn, 1000, 0)}},
		},
		System: &report.System{
			Groups: []report.Group{
				{ID: 1, Path: "/", Kind: "root", Name: "/"},
				{ID: 7, Path: "/system.slice/db.service", Kind: "unit", Name: "db.service",
					Throttling: &report.Throttling{Times: 3, NS: 400_000_000},
					Pressure:   &report.Pressure{SomeNS: 100_000_000}},
			},
			Tasks: []report.Task{
				task(20, 20, names{"writer", "postgres"}, 7, 600_000_000, 900, 100),
				task(20, 21, names{"reader", "postgres"}, 7, 200_000_000, 300, 100),
				task(30, 30, names{"spin", "spin"}, 1, 1_000_000_000, 0, 0),
			},
			Ended: []report.EndedTasks{{
				Group: 7, Comm: "sh", Tasks: 12,
				Activity: report.Activity{OnCPUNS: 100_000_000, EndedBy: report.CauseCounts{Exited: 12}},
			}},
			Watched: 10, ProgramNS: 20_000_000, ProgramSampleNS: 1e8,
			Queues: []report.RunQueue{{CPU: 0, TaskNS: 3e9, ObservedNS: 2e9, Max: 4}},
			Arrivals: []report.CoreArrivals{
				{CPU: 0, Migrations: report.MigrationCounts{Sibling: 3, Cache: 9, Node: 1, Remote: 1, Woken: 2}},
				{CPU: 3, Migrations: report.MigrationCounts{Cache: 6, Remote: 4}},
			},
		},
	}
}

func shown(trials ...*report.Trial) *live.Model {
	m := live.New(nil)
	for _, t := range trials {
		m.Add(t)
		m.Update()
	}
	return m
}

// row returns a table's row whose first cell is a name, column by column; "–" is an absent figure.
func row(t *testing.T, table *live.Table, name string) map[string]string {
	t.Helper()
	for i := range table.Rows() {
		if table.Cell(i, 0).Text != name {
			continue
		}
		out := map[string]string{}
		for j, c := range table.Columns {
			cell := table.Cell(i, j)
			if out[c.Name] = cell.Text; cell.Text == "" {
				out[c.Name] = cell.Value.String()
			}
		}
		return out
	}
	t.Fatalf("no row is named %q", name)
	return nil
}

func checkRow(t *testing.T, table *live.Table, name string, want map[string]string) {
	t.Helper()
	got := row(t, table, name)
	for column, figure := range want {
		if got[column] != figure {
			t.Errorf("%s of %s is %q, want %q", column, name, got[column], figure)
		}
	}
}

func TestTaskFigures(t *testing.T) {
	m := shown(small())
	tasks := m.Tasks(live.TaskOptions{})
	checkRow(t, tasks, "writer", map[string]string{
		"tid": "20", "pid": "20", "group": "db.service", "on CPU": "30.0 %",
		"switches/s": "500/s", "voluntary/s": "450/s", "involuntary/s": "50/s",
		"block": "90 %", "tick": "10 %", "wake": "0 %", "wait p50": "9.98 µs", "wait p99": "10.0 µs",
		"longest": "10.0 µs", "waiting": "0.1 %", "moves/s": "4/s", "throttled": "0 %",
	})
	checkRow(t, tasks, "spin", map[string]string{"on CPU": "50.0 %", "switches/s": "0/s", "tick": "–"})
	checkRow(t, tasks, "sh (ended)", map[string]string{
		"tid": "–", "tasks": "12", "other": "100 %", "wait p50": "–", "longest": "–",
	})
	if tasks.Idle != 7 || tasks.Rows() != 4 || tasks.Cell(0, 0).Text != "spin" {
		t.Errorf("%d idle, %d rows, the first is %s", tasks.Idle, tasks.Rows(), tasks.Cell(0, 0).Text)
	}
	processes := m.Tasks(live.TaskOptions{By: live.ByProcess})
	checkRow(t, processes, "postgres", map[string]string{
		"pid": "20", "tasks": "2", "on CPU": "40.0 %", "switches/s": "700/s", "tick": "14 %", "wait p99": "10.0 µs",
	})
	groups := m.Tasks(live.TaskOptions{By: live.ByGroup})
	checkRow(t, groups, "db.service", map[string]string{
		"tasks": "14", "on CPU": "45.0 %", "switches/s": "706/s", "moves/s": "8/s", "quota": "20.0 %",
		"pressure": "5.0 %",
	})
	checkRow(t, groups, "/", map[string]string{"quota": "–", "pressure": "–"})
	programs := m.Tasks(live.TaskOptions{By: live.ByProgram})
	checkRow(t, programs, "sh", map[string]string{"tasks": "12", "on CPU": "5.0 %"})
}

// A group that its quota stopped all the time has a row by group, although none of its tasks did anything.
func TestGroupsThatTheirQuotaStops(t *testing.T) {
	trial := small()
	trial.System.Groups = append(trial.System.Groups, report.Group{
		ID: 9, Path: "/batch.service", Kind: "unit", Name: "batch.service",
		Throttling: &report.Throttling{NS: 2_000_000_000},
	}, report.Group{ID: 10, Path: "/idle.service", Kind: "unit", Name: "idle.service"})
	m := shown(trial)
	groups := m.Tasks(live.TaskOptions{By: live.ByGroup})
	checkRow(t, groups, "batch.service", map[string]string{"tasks": "0", "switches/s": "0/s", "quota": "100 %"})
	if groups.Rows() != 3 || m.Tasks(live.TaskOptions{}).Rows() != 4 {
		t.Errorf("%d groups and %d tasks, want 3 and 4", groups.Rows(), m.Tasks(live.TaskOptions{}).Rows())
	}
}

// A wait under way is shown if it is the longest, and marked.
func TestWaitsUnderWay(t *testing.T) {
	trial := small()
	tasks := trial.System.Tasks
	tasks[0].WaitingNS, tasks[1].WaitingNS = 3_000_000_000, 9_000
	tasks[2].Activity, tasks[2].WaitingNS = report.Activity{}, 5_000_000
	m := shown(trial)
	for by, want := range map[live.Grouping]map[string]string{
		live.ByTask:    {"writer": "3.00 s so far", "reader": "10.0 µs", "spin": "5.00 ms so far"},
		live.ByProcess: {"postgres": "3.00 s so far"},
	} {
		for name, longest := range want {
			checkRow(t, m.Tasks(live.TaskOptions{By: by}), name, map[string]string{"longest": longest})
		}
	}
	sorted := m.Tasks(live.TaskOptions{Sort: "longest"})
	if first := sorted.Cell(0, 0).Text; first != "writer" {
		t.Errorf("sorted by the longest wait, the first is %s", first)
	}
}

func TestLossesAddUp(t *testing.T) {
	a, b := small(), small()
	a.Lost = report.Lost{UnmatchedPick: 2, UnmatchedSwitch: 3, MapFull: 4, UnplacedSlices: 30}
	b.Lost = report.Lost{Unwatched: 7, DroppedTasks: 1}
	b.ToolNS = nil
	h := shown(a, b).Headline()
	want := live.Losses{Untimed: 5, Unwatched: 7, Tasks: 5, Slices: 30}
	if h.Losses != want || h.Losses.Total() != 47 {
		t.Errorf("losses %+v", h.Losses)
	}
	if !h.OwnCostPartly || h.OwnCost.String() != "0.5 %" {
		t.Errorf("own cost %s, partly: %v", h.OwnCost, h.OwnCostPartly)
	}
}

// Whatever tasks are grouped by, the rows add up to the same.
func TestGroupingsAddUp(t *testing.T) {
	r := reporttest.System(reporttest.SystemSize{Cores: 8, Tasks: 500, Groups: 11, Intervals: 1})
	m := shown(&r.Trials[0])
	var want, tasks float64
	for i := range r.Trials[0].System.Tasks {
		want += float64(r.Trials[0].System.Tasks[i].OnCPUNS)
		tasks++
	}
	for _, e := range r.Trials[0].System.Ended {
		want += float64(e.OnCPUNS)
		tasks += float64(e.Tasks)
	}
	want = 100 * want / float64(r.Trials[0].DurationNS)
	for _, by := range live.Groupings() {
		table := m.Tasks(live.TaskOptions{By: by})
		on, members := column(table, "on CPU"), column(table, "tasks")
		var sum, n float64
		for i := range table.Rows() {
			sum += table.Cell(i, on).Value.Value
			n += table.Cell(i, members).Value.Value
		}
		if math.Abs(sum-want) > 1e-6*want || n != tasks {
			t.Errorf("by %s: %.3f %% of %.0f tasks, want %.3f %% of %.0f", by, sum, n, want, tasks)
		}
		for i := range table.Rows() {
			within := table.Key(i)
			part := m.Tasks(live.TaskOptions{Within: within})
			var sum float64
			for j := range part.Rows() {
				sum += part.Cell(j, column(part, "on CPU")).Value.Value
			}
			if whole := m.Tasks(live.TaskOptions{By: by}).Cell(i, on).Value.Value; math.Abs(sum-whole) > 1e-6 {
				t.Errorf("tasks within %+v have %.3f %% of %.3f %%", within, sum, whole)
			}
		}
	}
}

func column(t *live.Table, name string) int {
	return slices.IndexFunc(t.Columns, func(c live.Column) bool { return c.Name == name })
}

func TestDetail(t *testing.T) {
	r := reporttest.System(reporttest.SystemSize{Cores: 4, Tasks: 60, Groups: 4, Intervals: live.Kept + 5})
	var trials []*report.Trial
	for i := range r.Trials {
		trials = append(trials, &r.Trials[i])
	}
	m := shown(trials...)
	for _, by := range live.Groupings() {
		table := m.Tasks(live.TaskOptions{By: by})
		for i := range table.Rows() {
			d := m.Detail(table.Key(i))
			if !d.Present || d.Intervals != live.Kept || len(d.History) == 0 {
				t.Fatalf("%+v: %v, %d intervals, %d series", table.Key(i), d.Present, d.Intervals, len(d.History))
			}
			for _, h := range d.History {
				newest := h.Values[len(h.Values)-1]
				for j, c := range table.Columns {
					if c.Name != h.Name {
						continue
					}
					if want := table.Cell(i, j).Value; math.Abs(newest.Value-want.Value) > 1e-4*want.Value+1 {
						t.Errorf("%+v: the newest %s is %v, in the table %v", table.Key(i), h.Name, newest, want)
					}
				}
			}
			for _, x := range []live.Distribution{d.Waits, d.Slices} {
				var n float64
				for _, s := range x.Steps {
					n += s.Count.Value
				}
				if n != x.Count.Value {
					t.Errorf("%+v: the steps of %s have %v of %v", table.Key(i), x.Name, n, x.Count.Value)
				}
			}
			for _, f := range d.Figures {
				j := column(table, f.Name)
				if want := table.Cell(i, j); !reflect.DeepEqual(f.Cell, want) {
					t.Errorf("%+v: %s is %v, in the table %v", table.Key(i), f.Name, f.Cell, want)
				}
			}
		}
	}
	if gone := m.Detail(live.Key{TID: 4_000_000, PID: 4_000_000}); gone.Present || gone.Title != "task 4000000" {
		t.Errorf("a task that is not there: %+v", gone)
	}
}

// The history of a task does not reach back to another one that had its number before.
func TestHistoryBeginsAtBirth(t *testing.T) {
	first, second := small(), small()
	second.System.Tasks[0].Born = true
	values := shown(first, second).Detail(live.Key{PID: 20, TID: 20}).History[0].Values
	if values[0].Known || !values[1].Known {
		t.Errorf("history %v", values)
	}
}

func TestFreeze(t *testing.T) {
	m := shown(small())
	m.Freeze(true)
	later := small()
	later.DurationNS = 4e9
	m.Add(later)
	if m.Update() || m.Trial().DurationNS != 2e9 || len(m.Detail(live.Key{PID: 20, TID: 20}).History[0].Values) != 1 {
		t.Error("a frozen model goes on")
	}
	m.Freeze(false)
	if !m.Update() || m.Trial() != later || len(m.Detail(live.Key{PID: 20, TID: 20}).History[0].Values) != 2 {
		t.Error("the model does not go on")
	}
}

// Before the first interval, and without any task, everything is empty.
func TestNothingToShow(t *testing.T) {
	for name, m := range map[string]*live.Model{
		"no interval": live.New(nil),
		"no system":   shown(&report.Trial{Mode: report.SystemMode}),
		"no time":     shown(&report.Trial{Mode: report.SystemMode, System: &report.System{}}),
	} {
		m.Update()
		for _, by := range live.Groupings() {
			if n := m.Tasks(live.TaskOptions{By: by, Filter: "x"}).Rows(); n != 0 {
				t.Errorf("%s: %d rows by %s", name, n, by)
			}
		}
		if m.Detail(live.Key{PID: 1, TID: 1}).Present || m.Headline().Switches.Known || m.Headline().Switching.Known {
			t.Errorf("%s: there are figures", name)
		}
		cores := m.Cores(live.CoreOptions{})
		for i := range cores.Rows() {
			for j := range cores.Columns {
				cores.Cell(i, j)
			}
		}
	}
}
