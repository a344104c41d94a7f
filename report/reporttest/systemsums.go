package reporttest

import "github.com/slicetrace/slicetrace/report"

// activitySums are the columns of the tables groups, processes and tasks that can be added up.
func activitySums() []string {
	list := []string{
		"on_cpu_ns", "waits", "wait_ns", "switches", "voluntary", "involuntary", "migrations", "migrations_sibling",
		"migrations_cache", "migrations_node", "migrations_remote", "migrations_woken", "throttled_ns",
	}
	for _, cause := range report.Causes() {
		list = append(list, "slices_"+string(cause))
	}
	return list
}

// systemIdentities are those of the tables groups, processes and tasks.
func systemIdentities() []identity {
	list := []identity{
		{table: "trials", name: "tasks = rows of single tasks", both: func(row figures, all tables) (float64, float64) {
			single := figures{"trial": row["trial"], "merged": "0"}
			return of(row, "tasks"), float64(len(all["tasks"].where(single, "trial", "merged")))
		}},
		{table: "trials", name: "ended_tasks = tasks' merged", both: byTrial("ended_tasks", "tasks", "merged")},
		{
			table: "trials", name: "ended_tasks = groups' ended_tasks",
			both: byTrial("ended_tasks", "groups", "ended_tasks"),
		},
		{table: "trials", name: "tasks = groups' tasks", both: byTrial("tasks", "groups", "tasks")},
		{table: "trials", name: "tasks + ended_tasks = processes' tasks",
			both: func(row figures, all tables) (float64, float64) {
				return of(row, "tasks") + of(row, "ended_tasks"), all["processes"].where(row, "trial").sum("tasks")
			}},
		{table: "trials", name: "tasks ≤ watched_tasks + tasks that exited", atMost: true,
			both: func(row figures, all tables) (float64, float64) {
				gone := figures{"trial": row["trial"], "merged": "0", "exited": "true"}
				exited := all["tasks"].where(gone, "trial", "merged", "exited")
				return of(row, "tasks"), of(row, "watched_tasks") + float64(len(exited))
			}},
		{table: "groups", name: "waits = histogram's", both: buckets("waits", "group_wait", "trial", "group_id")},
		{table: "groups", name: "pressure_full_ns ≤ pressure_some_ns", atMost: true,
			both: columns("pressure_full_ns", "pressure_some_ns")},
		{table: "core_times", name: "queue_task_ns ≤ queue_max × queue_observed_ns", atMost: true, measured: true,
			both: func(row figures, _ tables) (float64, float64) {
				return of(row, "queue_task_ns"), of(row, "queue_max") * of(row, "queue_observed_ns")
			}},
	}
	for _, c := range activitySums() {
		list = append(list,
			identity{table: "trials", name: c + " of tasks = groups'", both: inBoth(c, "tasks", "groups")},
			identity{table: "trials", name: c + " of processes = groups'", both: inBoth(c, "processes", "groups")})
	}
	for _, table := range []string{"groups", "processes", "tasks"} {
		list = append(list, activityIdentities(table)...)
	}
	return list
}

// inBoth compares what the rows of a trial have together in two tables.
func inBoth(column, first, second string) func(figures, tables) (float64, float64) {
	return func(row figures, all tables) (float64, float64) {
		return all[first].where(row, "trial").sum(column), all[second].where(row, "trial").sum(column)
	}
}

// activityIdentities are those of each row of one of the tables.
func activityIdentities(table string) []identity {
	list := []identity{
		{table: table, name: "voluntary + involuntary", both: func(row figures, _ tables) (float64, float64) {
			return of(row, "voluntary") + of(row, "involuntary"), of(row, "switches")
		}},
		{table: table, name: "slices by cause = switches", both: func(row figures, _ tables) (sum, switches float64) {
			for _, cause := range report.Causes() {
				sum += of(row, "slices_"+string(cause))
			}
			return sum, of(row, "switches")
		}},
		{table: table, name: "migrations by distance = migrations",
			both: func(row figures, _ tables) (sum, all float64) {
				for _, far := range []string{"sibling", "cache", "node", "remote"} {
					sum += of(row, "migrations_"+far)
				}
				return sum, of(row, "migrations")
			}},
		{table: table, name: "migrations_woken ≤ migrations", atMost: true,
			both: columns("migrations_woken", "migrations")},
	}
	for _, pair := range [][2]string{{"wait_p50_ns", "wait_p99_ns"}, {"wait_p99_ns", "wait_max_ns"},
		{"wait_max_ns", "wait_ns"}, {"slice_p50_ns", "slice_p99_ns"}} {
		list = append(list, identity{table: table, name: pair[0] + " ≤ " + pair[1], atMost: true,
			both: columns(pair[0], pair[1])})
	}
	return list
}
