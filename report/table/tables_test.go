package table_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/table"
)

func tableOf(t *testing.T, r *report.Report, name string) table.Table {
	t.Helper()
	out, err := table.Of(r, name)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// watched is a report of a watched system.
func watched() *report.Report {
	return reporttest.System(reporttest.SystemSize{Cores: 4, Tasks: 30, Groups: 4, Intervals: 3})
}

// isOfSystem reports whether only watched systems fill a table.
func isOfSystem(name string) bool { return name == "groups" || name == "processes" || name == "tasks" }

// The contract with users: columns are added at the end, never renamed or moved.
func TestTablesBeginWithTheColumnsOfTheContract(t *testing.T) {
	const activity = "on_cpu_ns,waits,wait_ns,wait_p50_ns,wait_p99_ns,wait_max_ns,switches,voluntary,involuntary," +
		"slices_blocked,slices_exited,slices_tick,slices_wakeup,slices_yield,slices_other,slices_throttled," +
		"slice_p50_ns,slice_p99_ns,migrations,migrations_sibling,migrations_cache,migrations_node," +
		"migrations_remote,migrations_woken,throttled_ns"
	contract := map[string]string{
		"trials": "workload,mode,round,duration_ns,workers,operations,parallelism,concurrency,jain_index",
		"cores": "workload,mode,round,core,class,switches,pick_p50_ns,pick_p99_ns," +
			"switch_p50_ns,switch_p90_ns,switch_p99_ns,cost_p50_ns,cost_sum_ns",
		"slices": "workload,mode,round,core,ended_by,slices,p50_ns,p90_ns,p99_ns,max_ns,sum_ns",
		"workers": "workload,mode,round,worker,pid,tid,comm,slices,voluntary,involuntary," +
			"kernel_voluntary,kernel_involuntary,on_cpu_ns,wait_ns,wait_max_ns,migrations",
		"quality":  "name,value",
		"host":     "name,value",
		"findings": "claim,verdict,workload,variant,mode,figure,unit,median,low,high,p,n",
		"runs": "report_id,created,machine,kernel,arch,cpu_model,cpus,smt,hz,preemption,scheduler,base_slice_ns," +
			"pti,pcid,invpcid,nested_paging,clocksource,hypervisor,governor,memory_bytes,distribution," +
			"tool,tool_version,workloads,command,modes,rounds,duration_ns,operations,workers_asked,cores,core_list," +
			"policy,nice,cpu_quota,trials,failed_trials,clean,not_clean,switches,lost",
		"core_times": "trial,load,mode,round,core,wall_ns,idle_ns,workers_ns,others_ns,self_ns,steal_ns,interrupt_ns," +
			"ticks,busy_ticks,switches,wait_count,wait_sum_ns,wait_p50_ns,wait_p90_ns,wait_p99_ns,wait_max_ns," +
			"started_ns",
		"figures":    "trial,load,mode,round,name,value,started_ns,workload,variant",
		"histograms": "trial,load,mode,round,core,class,ended_by,what,low_ns,high_ns,count,started_ns,workload,variant",
		"groups": "trial,load,mode,round,group_id,group_name,group_kind,group_path,tasks,ended_tasks," + activity +
			",quota_throttled,quota_throttled_ns,pressure_some_ns,pressure_full_ns,started_ns,workload,variant",
		"processes": "trial,load,mode,round,pid,process,uid,kernel_thread,group_id,group_name,tasks," + activity +
			",started_ns,workload,variant",
		"tasks": "trial,load,mode,round,pid,tid,comm,process,uid,kernel_thread,group_id,group_name,born,exited," +
			"merged," +
			activity + ",started_ns,workload,variant",
		"stacks": "trial,load,mode,round,pid,process,comm,uid,group_id,group_name,state,iowait,waker_pid,waker," +
			"waker_interrupt,samples,times,blocked_ns,wait_ns,throttled_ns,longest_ns,stack,waker_stack," +
			"started_ns,workload,variant",
		"pairs": "trial,load,mode,round,kind,pid,process,comm,uid,group_id,group_name,by_pid,by_process,by,by_uid," +
			"by_group_id,by_group_name,by_interrupt,relation,count,wait_ns,started_ns,workload,variant",
	}
	names := table.Names()
	if len(names) != len(contract) {
		t.Errorf("tables are %q", names)
	}
	for _, name := range names {
		columns := columnNames(tableOf(t, reporttest.Bundled(1, 1), name))
		if got := strings.Join(columns, ",") + ","; !strings.HasPrefix(got, contract[name]+",") {
			t.Errorf("table %s has columns %s, want first %s", name, got, contract[name])
		}
		sorted := slices.Sorted(slices.Values(columns))
		if unique := slices.Compact(slices.Clone(sorted)); len(unique) != len(sorted) {
			t.Errorf("table %s names a column twice", name)
		}
	}
}

func TestTablesHoldPlainNumbers(t *testing.T) {
	for _, r := range []*report.Report{
		reporttest.Bundled(2, 3), reporttest.Command(), reporttest.WithoutPick(reporttest.Bundled(1, 1)),
		reporttest.Full(1, 2), watched(), reporttest.Stacks(),
	} {
		for _, name := range table.Names() {
			tab := tableOf(t, r, name)
			rows := slices.Collect(tab.Rows)
			ofSystem, ofWork := isOfSystem(name), name == "workers" || name == "findings" || name == "figures"
			mayBeEmpty := name == "findings" && len(r.Setup.Command) > 0 ||
				name == "figures" && len(r.Setup.Workloads) < 3
			mustBeEmpty := ofSystem && r.Setup.Watch == nil || ofWork && r.Setup.Watch != nil ||
				(name == "stacks" || name == "pairs") && len(r.Stacks) == 0
			if len(rows) == 0 && !mayBeEmpty && !mustBeEmpty || len(rows) > 0 && mustBeEmpty {
				t.Errorf("table %s has %d rows", name, len(rows))
			}
			for _, row := range rows {
				if len(row) != len(tab.Columns) {
					t.Fatalf("table %s: %d fields in %d columns", name, len(row), len(tab.Columns))
				}
				for i, f := range row {
					column := tab.Columns[i]
					if f.String() == "" {
						continue
					}
					var err error
					switch column.Kind {
					case table.Integer:
						_, err = strconv.ParseInt(f.String(), 10, 64)
					case table.Decimal:
						_, err = strconv.ParseFloat(f.String(), 64)
					case table.Boolean:
						_, err = strconv.ParseBool(f.String())
					case table.Time:
						_, err = time.Parse(time.RFC3339Nano, f.String())
					default:
						if !f.Free() && column.Name != "name" {
							_, err = strconv.ParseInt(f.String(), 10, 64)
						}
					}
					if err != nil || (f.Free() && column.Kind != table.Text) {
						t.Errorf("table %s: %s of kind %d is %q", name, column.Name, column.Kind, f.String())
					}
				}
			}
		}
	}
}

func columnNames(tab table.Table) []string {
	var names []string
	for _, c := range tab.Columns {
		names = append(names, c.Name)
	}
	return names
}

// fields returns a row as fields by the names of the columns.
func fields(tab table.Table, row int) map[string]string {
	out := map[string]string{}
	fields := slices.Collect(tab.Rows)[row]
	for i, c := range columnNames(tab) {
		out[c] = fields[i].String()
	}
	return out
}

// A column's kind is part of the contract too, since files of many reports are read together.
func TestKindsOfColumnsDoNotDependOnTheReport(t *testing.T) {
	for _, name := range table.Names() {
		want := tableOf(t, reporttest.Bundled(2, 2), name).Columns
		for what, r := range map[string]*report.Report{
			"empty": {}, "command": reporttest.Command(), "no pick": reporttest.WithoutPick(reporttest.Bundled(1, 1)),
		} {
			if diff := cmp.Diff(want, tableOf(t, r, name).Columns); diff != "" {
				t.Errorf("table %s of a report %s (-want +got):\n%s", name, what, diff)
			}
		}
		for _, c := range want {
			if strings.HasSuffix(c.Name, "_ns") && c.Kind != table.Integer {
				t.Errorf("table %s: %s is of kind %d", name, c.Name, c.Kind)
			}
			// Names of partitions, and of columns that identify reports, are reserved.
			taken := []string{"host", "date", "report"}
			if name != "runs" { // which has what tells reports apart as its own
				taken = append(taken, "created", "kernel", "cpu_model", "report_id", "file")
			}
			if slices.Contains(taken, c.Name) {
				t.Errorf("table %s: the column %s is taken", name, c.Name)
			}
		}
	}
}

func TestWithPutsConstantColumnsFirst(t *testing.T) {
	r := reporttest.Command()
	plain := tableOf(t, r, "workers")
	got := plain.With(table.IdentityColumns(), table.Identity(r))
	names := strings.Join(columnNames(got), ",")
	if !strings.HasPrefix(names, "report,created,kernel,cpu_model,workload,") {
		t.Errorf("columns are %s", names)
	}
	rows := slices.Collect(got.Rows)
	if len(rows) < 2 || len(rows) != len(slices.Collect(plain.Rows)) {
		t.Fatalf("%d rows", len(rows))
	}
	for _, row := range rows {
		if len(row) != len(got.Columns) || row[0].String() != r.ID() || row[1].String() != "2026-11-22T20:11:00Z" ||
			row[4].String() != r.Trials[0].Workload {
			t.Errorf("row %v", row)
		}
	}
}

// oneTrial is the report of a trial in which each figure has a value of its own.
func oneTrial() *report.Report {
	ticks, own, started, tool, cpu, status := uint64(250), uint64(7), int64(77), int64(90), int64(333), 7
	output, untraced := 12.5, 13.25
	r := &report.Report{Trials: []report.Trial{{
		Workload: "spin", Variant: "nice", Mode: report.Threads, Round: 2, DurationNS: 1000, Operations: 23,
		Memory: &report.Memory{Processes: 1, PSSBytes: 30, PrivateBytes: 20, PageTableBytes: 10},
		Created: &report.Created{
			Tasks: 3, Reconciled: 2, OnCPUNS: 100, WaitNS: 50,
			Start: reporttest.HistogramOf(1, 1, 2, 3), Run: reporttest.HistogramOf(1, 4, 5, 6),
			End: reporttest.HistogramOf(1, 7, 8, 9),
		},
		ToolSwitches: &own, StartedNS: &started, ToolNS: &tool, CPUNS: &cpu, ExitStatus: &status, Output: &output,
		Figures:    []report.Figure{{Name: "counted", Value: -3}},
		Throttling: &report.Throttling{Times: 31, NS: 9000},
		Settings: []report.SettingChange{
			{Name: "affinity", Start: "0-1", End: "0"}, {Name: "preemption", Start: "full", End: "full"},
		},
		Lost: report.Lost{UnmatchedPick: 1, UnmatchedSwitch: 2, Unwatched: 6, MapFull: 3, DroppedTasks: 4},
		Cores: []report.Core{
			{
				CPU: 1, WallNS: 1000, IdleNS: 100, WorkersNS: 700, OthersNS: 150, SelfNS: 50, StealNS: 9,
				InterruptNS: 13, Ticks: &ticks,
				Classes: []report.ClassStats{
					{Class: report.ClassThread, Switches: 3, Switch: reporttest.HistogramOf(1, 5, 6, 9)},
				},
				Slices: []report.SliceStats{
					{EndedBy: report.EndedByTick, Length: reporttest.HistogramOf(1, 10, 12)},
					{EndedBy: report.EndedByExited, Length: reporttest.HistogramOf(1, 11)},
				},
				Wait: reporttest.HistogramOf(1, 30, 40),
			},
			{CPU: 2, WallNS: 1000, IdleNS: 1000},
		},
		Workers: []report.Worker{{
			Index: 1, PID: 7, TID: 8, Comm: "x", Operations: 23, Slices: 2, EndedBy: report.CauseCounts{Tick: 2},
			Involuntary: 2, Kernel: &report.KernelCounters{Involuntary: 2, RuntimeNS: -1},
			OnCPUNS: 500, WaitNS: 250, WaitMaxNS: 200, Migrations: 3, ThrottledNS: 70, Exited: true, Nice: -5,
		}},
	}}, Untraced: []report.Trial{
		{
			Workload: "spin", Variant: "nice", Mode: report.Threads, Round: 2, DurationNS: 900, Operations: 25,
			Output: &untraced,
		},
		{Workload: "spin", Variant: "nice", Mode: report.Threads, Round: 1, DurationNS: 1, Operations: 1},
	}}
	r.ComputeQuality()
	return r
}

// Each row of a table has the figures of its part of the trial, all of them.
func TestValues(t *testing.T) {
	r := oneTrial()
	for _, c := range []tableRow{
		{"trials", 0, map[string]string{
			"workload": "spin", "mode": "threads", "round": "2", "duration_ns": "1000", "workers": "1",
			"operations": "23", "parallelism": "0.600000", "concurrency": "0.900000", "jain_index": "1.000000",
			"switches": "3", "slices": "2", "on_cpu_ns": "500", "wait_ns": "250", "wait_max_ns": "200",
			"wall_ns": "2000", "idle_ns": "1100", "workers_ns": "700", "others_ns": "150", "self_ns": "50",
			"steal_ns": "9", "unmatched_pick": "1", "unmatched_switch": "2", "map_full": "3", "dropped_tasks": "4",
			"variant": "nice", "pss_bytes": "30", "private_bytes": "20", "page_table_bytes": "10",
			"created_tasks": "3", "created_reconciled": "2", "created_start_p50_ns": "2",
			"created_start_p99_ns": "3", "created_run_p50_ns": "5", "created_run_p99_ns": "6",
			"created_end_p50_ns": "8", "created_end_p99_ns": "9", "tool_switches": "7", "created_slices": "1",
			"created_on_cpu_ns": "100", "created_wait_ns": "50", "unwatched": "6", "quota_throttled": "31",
			"quota_throttled_ns": "9000", "changed_settings": "affinity preemption", "throttled_ns": "70",
			"tool_ns": "90",
			"tasks":   "", "ended_tasks": "", "watched_tasks": "", "phase_ns": "", "program_ns": "",
			"program_sample_ns": "", "trial": "1", "load": "spin nice", "started_ns": "77", "cpu_ns": "333",
			"exit_status": "7", "output": "12.500000", "untraced_ns": "900", "untraced_operations": "25",
			"untraced_output": "13.250000",
		}},
		{"workers", 0, map[string]string{
			"workload": "spin", "mode": "threads", "round": "2", "worker": "1", "pid": "7", "tid": "8", "comm": "x",
			"slices": "2", "voluntary": "0", "involuntary": "2", "kernel_voluntary": "0", "kernel_involuntary": "2",
			"on_cpu_ns": "500", "wait_ns": "250", "wait_max_ns": "200", "migrations": "3", "operations": "23",
			"runtime_ns": "", "exited": "1", "merged": "0", "slices_blocked": "0", "slices_exited": "0",
			"slices_tick": "2", "slices_wakeup": "0", "slices_yield": "0", "slices_other": "0", "variant": "nice",
			"nice": "-5", "slices_throttled": "0", "throttled_ns": "70", "trial": "1", "load": "spin nice",
			"started_ns": "77",
		}},
		{"figures", 0, map[string]string{
			"trial": "1", "load": "spin nice", "mode": "threads", "round": "2", "name": "counted", "value": "-3",
			"started_ns": "77", "workload": "spin", "variant": "nice",
		}},
	} {
		checkWholeRow(t, r, c)
	}
}

func TestValuesOfCores(t *testing.T) {
	r := oneTrial()
	for _, c := range []tableRow{
		{"cores", 0, map[string]string{
			"workload": "spin", "mode": "threads", "round": "2", "core": "1", "class": "thread", "switches": "3",
			"pick_p50_ns": "", "pick_p99_ns": "", "switch_p50_ns": "6", "switch_p90_ns": "9", "switch_p99_ns": "9",
			"cost_p50_ns": "", "cost_sum_ns": "", "pick_count": "0", "pick_p90_ns": "", "pick_max_ns": "",
			"pick_sum_ns": "", "switch_count": "3", "switch_max_ns": "9", "switch_sum_ns": "20", "cost_count": "0",
			"cost_p90_ns": "", "cost_p99_ns": "", "cost_max_ns": "", "wall_ns": "1000", "idle_ns": "100",
			"workers_ns": "700", "others_ns": "150", "self_ns": "50", "steal_ns": "9", "ticks": "250",
			"busy_ticks": "", "variant": "nice", "interrupt_ns": "13", "trial": "1", "load": "spin nice",
			"started_ns": "77",
		}},
		{"slices", 0, map[string]string{
			"workload": "spin", "mode": "threads", "round": "2", "core": "1", "ended_by": "tick", "slices": "2",
			"p50_ns": "10", "p90_ns": "12", "p99_ns": "12", "max_ns": "12", "sum_ns": "22", "variant": "nice",
			"trial": "1", "load": "spin nice", "started_ns": "77",
		}},
		{"core_times", 0, map[string]string{
			"trial": "1", "load": "spin nice", "mode": "threads", "round": "2", "core": "1", "wall_ns": "1000",
			"idle_ns": "100", "workers_ns": "700", "others_ns": "150", "self_ns": "50", "steal_ns": "9",
			"interrupt_ns": "13", "ticks": "250", "busy_ticks": "", "switches": "3", "wait_count": "2",
			"wait_sum_ns": "70", "wait_p50_ns": "30", "wait_p90_ns": "40", "wait_p99_ns": "40", "wait_max_ns": "40",
			"started_ns": "77", "workload": "spin", "variant": "nice",
			"queue_task_ns": "", "queue_observed_ns": "", "queue_max": "",
			"migrations_sibling": "", "migrations_cache": "", "migrations_node": "", "migrations_remote": "",
			"migrations_woken": "",
		}},
		{"core_times", 1, map[string]string{ // no waits are absent, and no zeros
			"trial": "1", "load": "spin nice", "mode": "threads", "round": "2", "core": "2", "wall_ns": "1000",
			"idle_ns": "1000", "workers_ns": "0", "others_ns": "0", "self_ns": "0", "steal_ns": "0",
			"interrupt_ns": "0", "ticks": "", "busy_ticks": "", "switches": "0", "wait_count": "0",
			"wait_sum_ns": "", "wait_p50_ns": "", "wait_p90_ns": "", "wait_p99_ns": "", "wait_max_ns": "",
			"started_ns": "77", "workload": "spin", "variant": "nice",
			"queue_task_ns": "", "queue_observed_ns": "", "queue_max": "",
			"migrations_sibling": "", "migrations_cache": "", "migrations_node": "", "migrations_remote": "",
			"migrations_woken": "",
		}},
		{"histograms", 3, map[string]string{
			"trial": "1", "load": "spin nice", "mode": "threads", "round": "2", "core": "1", "class": "",
			"ended_by": "tick", "what": "slice", "low_ns": "10", "high_ns": "11", "count": "1", "started_ns": "77",
			"workload": "spin", "variant": "nice", "group_id": "",
		}},
	} {
		checkWholeRow(t, r, c)
	}
	// A core without switches keeps its times, in a row without a class.
	quiet := fields(tableOf(t, r, "cores"), 1)
	if quiet["core"] != "2" || quiet["class"] != "" || quiet["idle_ns"] != "1000" {
		t.Errorf("the quiet core is %v", quiet)
	}
}

// checkWholeRow compares all columns of a row.
func checkWholeRow(t *testing.T, r *report.Report, c tableRow) {
	t.Helper()
	if diff := cmp.Diff(c.want, fields(tableOf(t, r, c.table), c.row)); diff != "" {
		t.Errorf("table %s, row %d (-want +got):\n%s", c.table, c.row, diff)
	}
}

func TestValuesOfQuality(t *testing.T) {
	quality := map[string]string{}
	for _, row := range slices.Collect(tableOf(t, oneTrial(), "quality").Rows) {
		quality[row[0].String()] = row[1].String()
	}
	for name, want := range map[string]string{
		"clean": "0", "switches": "3", "lost": "16", "unmatched": "3", "unwatched": "6", "map_full": "3",
		"dropped_tasks": "4", "reconciled_workers": "1", "compared_workers": "1", "workers": "1",
		"probe_floor_ns": "", "self_ns": "50",
	} {
		if got, ok := quality[name]; !ok || got != want {
			t.Errorf("quality %s is %q, want %q", name, got, want)
		}
	}
}

func TestCommandHasNoOperations(t *testing.T) {
	r := reporttest.Command()
	if got := fields(tableOf(t, r, "trials"), 0)["operations"]; got != "" {
		t.Errorf("a command has %q operations", got)
	}
	if got := fields(tableOf(t, r, "workers"), 0)["kernel_voluntary"]; got != "" {
		t.Errorf("an uncompared worker has %q kernel switches", got)
	}
}

func TestUnknownTable(t *testing.T) {
	const all = "trials, cores, slices, workers, quality, host, findings, runs, core_times, figures, histograms, " +
		"groups, processes, tasks, stacks"
	for name, want := range map[string]string{
		"core":    `did you mean "cores"?`,
		"worker":  `did you mean "workers"?`,
		"Trials":  `did you mean "trials"?`,
		"qual":    `did you mean "quality"?`,
		"hosst":   `did you mean "host"?`,
		"nothing": all,
		"":        all,
	} {
		_, err := table.Of(reporttest.Command(), name)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v lacks %s", name, err, want)
		}
		if err != nil && strings.HasPrefix(want, "trials") && strings.Contains(err.Error(), "did you mean") {
			t.Errorf("%q: a suggestion from nowhere: %v", name, err)
		}
	}
}
