package table_test

import (
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

// oneInterval is a watch of one interval with two tasks of a process, and three that lived for less.
func oneInterval() *report.Report {
	did := report.Activity{
		OnCPUNS: 500, WaitNS: 70, ThrottledNS: 11,
		EndedBy:    report.CauseCounts{Blocked: 3, Exited: 1, Tick: 1, Wakeup: 1, Yield: 2, Other: 1, Throttled: 1},
		Migrations: report.MigrationCounts{Sibling: 1, Cache: 2, Node: 3, Remote: 4, Woken: 5},
		Waits:      reporttest.HistogramOf(1, 10, 20, 40), Slices: reporttest.HistogramOf(2, 12, 96),
	}
	idle := report.Activity{OnCPUNS: 9}
	task := report.Task{
		Activity: did, PID: 40, TID: 41, Comm: "writer", Process: "db", UID: 105, Group: 7, Exited: true,
	}
	other := report.Task{
		Activity: idle, PID: 40, TID: 42, Comm: "db", Process: "db", UID: 105, Group: 7, Born: true, WaitingNS: 12000,
	}
	started := int64(77)
	r := &report.Report{
		Setup: report.Setup{Watch: &report.Watch{Cgroups: []string{"db.service"}, EveryNS: 1000, ForNS: 5000}},
		Trials: []report.Trial{{
			Mode: report.SystemMode, Round: 3, DurationNS: 1000, StartedNS: &started,
			Cores: []report.Core{{CPU: 2, WallNS: 1000, IdleNS: 1000}, {CPU: 5, WallNS: 1000, IdleNS: 1000}},
			System: &report.System{
				Groups: []report.Group{{
					ID: 7, Path: "/system.slice/db.service", Kind: "unit", Name: "db.service",
					Throttling: &report.Throttling{Times: 2, NS: 13}, Pressure: &report.Pressure{SomeNS: 30, FullNS: 3},
				}},
				Tasks:   []report.Task{task, other},
				Ended:   []report.EndedTasks{{Activity: did, Group: 8, Comm: "sh", Tasks: 3}},
				Watched: 9, PhaseNS: 100,
				Queues: []report.RunQueue{{CPU: 5, TaskNS: 1500, ObservedNS: 990, Max: 4}},
				Arrivals: []report.CoreArrivals{
					{CPU: 5, Migrations: report.MigrationCounts{Sibling: 1, Node: 2, Woken: 3}},
				},
			},
		}},
	}
	r.ComputeQuality()
	return r
}

// pick returns the named fields of a row.
func pick(row map[string]string, names []string) (out []string) {
	for _, name := range names {
		out = append(out, row[name])
	}
	return out
}

// tableRow is what a row of a table is to have.
type tableRow struct {
	table string
	row   int
	want  map[string]string
}

// The rows of groups, processes and tasks say all of what those did.
func TestActivitiesOfAWatch(t *testing.T) {
	r := oneInterval()
	did := map[string]string{
		"waits": "3", "wait_ns": "70", "wait_p50_ns": "20", "wait_p99_ns": "40", "wait_max_ns": "40", "switches": "10",
		"voluntary": "4", "involuntary": "6", "slices_blocked": "3", "slices_exited": "1", "slices_tick": "1",
		"slices_wakeup": "1", "slices_yield": "2", "slices_other": "1", "slices_throttled": "1",
		"slice_p50_ns": "12", "slice_p99_ns": "96", "migrations": "10", "migrations_sibling": "1",
		"migrations_cache": "2", "migrations_node": "3", "migrations_remote": "4", "migrations_woken": "5",
		"throttled_ns": "11", "trial": "1", "load": "", "mode": "system", "round": "3", "started_ns": "77",
		"workload": "", "variant": "",
	}
	for _, c := range []tableRow{
		{"groups", 0, map[string]string{
			"group_id": "7", "group_name": "db.service", "group_kind": "unit", "group_path": "/system.slice/db.service",
			"tasks": "2", "ended_tasks": "0", "on_cpu_ns": "509", "quota_throttled": "2", "quota_throttled_ns": "13",
			"pressure_some_ns": "30", "pressure_full_ns": "3",
		}},
		{"groups", 1, map[string]string{ // of which nothing else is known
			"group_id": "8", "group_name": "", "group_kind": "", "group_path": "", "tasks": "0", "ended_tasks": "3",
			"on_cpu_ns": "500", "quota_throttled": "", "quota_throttled_ns": "", "pressure_some_ns": "",
			"pressure_full_ns": "",
		}},
		{"processes", 0, map[string]string{
			"pid": "40", "process": "db", "uid": "105", "kernel_thread": "false", "group_id": "7",
			"group_name": "db.service", "tasks": "2", "on_cpu_ns": "509",
		}},
		{"processes", 1, map[string]string{
			"pid": "", "process": "sh", "uid": "", "kernel_thread": "", "group_id": "8", "group_name": "",
			"tasks": "3", "on_cpu_ns": "500",
		}},
		{"tasks", 0, map[string]string{
			"pid": "40", "tid": "41", "comm": "writer", "process": "db", "uid": "105", "kernel_thread": "false",
			"group_id": "7", "group_name": "db.service", "born": "false", "exited": "true", "merged": "0",
			"on_cpu_ns": "500", "waiting_ns": "",
		}},
		{"tasks", 2, map[string]string{
			"pid": "", "tid": "", "comm": "sh", "process": "", "uid": "", "kernel_thread": "", "group_id": "8",
			"group_name": "", "born": "true", "exited": "true", "merged": "3", "on_cpu_ns": "500",
			"waiting_ns": "",
		}},
	} {
		maps.Copy(c.want, did)
		if n := len(allFields(t, r, c.table)[c.row]); len(c.want) != n {
			t.Errorf("%s: %d columns, tested are %d", c.table, n, len(c.want))
		}
		checkRow(t, r, c)
	}
	if c := reporttest.Contradictions(r, false); len(c) > 0 {
		t.Errorf("contradictions: %q", c)
	}
}

func TestOtherValuesOfAWatch(t *testing.T) {
	r := oneInterval()
	for _, c := range []tableRow{
		{"tasks", 1, map[string]string{ // a task without waits has no longest one
			"waiting_ns": "12000",
			"tid":        "42", "born": "true", "exited": "false", "on_cpu_ns": "9", "waits": "0",
			"wait_ns": "0", "wait_p50_ns": "", "wait_max_ns": "", "slice_p50_ns": "", "switches": "0",
			"migrations": "0",
		}},
		{"core_times", 0, map[string]string{
			"core": "2", "queue_task_ns": "", "queue_observed_ns": "", "queue_max": "",
		}},
		{"core_times", 1, map[string]string{
			"core": "5", "queue_task_ns": "1500", "queue_observed_ns": "990", "queue_max": "4",
			"migrations_sibling": "1", "migrations_cache": "0", "migrations_node": "2", "migrations_remote": "0",
			"migrations_woken": "3",
		}},
		{"trials", 0, map[string]string{
			"workload": "", "mode": "system", "workers": "0", "operations": "", "slices": "20", "on_cpu_ns": "1009",
			"wait_ns": "140", "wait_max_ns": "40", "throttled_ns": "22", "tasks": "2", "ended_tasks": "3",
			"watched_tasks": "9", "phase_ns": "100", "program_ns": "", "program_sample_ns": "0",
			"parallelism": "1.009000", "concurrency": "1.149000", "jain_index": "",
		}},
		{"runs", 0, map[string]string{"watch": "cgroup db.service", "every_ns": "1000", "for_ns": "5000"}},
	} {
		checkRow(t, r, c)
	}
}

// checkRow compares the columns that are named in what a row is to have.
func checkRow(t *testing.T, r *report.Report, c tableRow) {
	t.Helper()
	names := slices.Sorted(maps.Keys(c.want))
	got := pick(allFields(t, r, c.table)[c.row], names)
	if diff := cmp.Diff(pick(c.want, names), got); diff != "" {
		t.Errorf("%s, row %d, of %q (-want +got):\n%s", c.table, c.row, names, diff)
	}
}

// A figure that one of the tables has wrong contradicts the others.
func TestTablesOfAWatchAreCompared(t *testing.T) {
	for name, change := range map[string]func(*report.System){
		"a cause":    func(s *report.System) { s.Tasks[0].Migrations.Woken = 11 },
		"tasks":      func(s *report.System) { s.Watched = 0 },
		"pressure":   func(s *report.System) { s.Groups[0].Pressure.FullNS = 31 },
		"a wait":     func(s *report.System) { s.Tasks[0].WaitNS = 39 },
		"run queues": func(s *report.System) { s.Queues[0].TaskNS = math.MaxInt32 },
	} {
		r := oneInterval()
		change(r.Trials[0].System)
		if len(reporttest.Contradictions(r, true)) == 0 {
			t.Errorf("%s: no contradiction is found", name)
		}
	}
}
