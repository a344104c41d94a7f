package reporttest

// newerIdentities are those of the tables core_times, figures, histograms and runs.
func newerIdentities() []identity {
	list := []identity{
		{table: "core_times", name: "idle + workers + others + self = wall", within: 0.001,
			both: func(row figures, _ tables) (float64, float64) {
				sum := of(row, "idle_ns") + of(row, "workers_ns") + of(row, "others_ns") + of(row, "self_ns")
				return sum, of(row, "wall_ns")
			}},
		{table: "core_times", name: "switches = table cores' switches",
			both: func(row figures, all tables) (float64, float64) {
				return of(row, "switches"), all["cores"].where(row, "trial", "core").sum("switches")
			}},
		{table: "core_times", name: "wait_count = histogram's", both: buckets("wait_count", "wait", "trial", "core")},
		{table: "slices", name: "slices = histogram's", both: buckets("slices", "slice", "trial", "core", "ended_by")},
		{table: "trials", name: "switches = table core_times' switches",
			both: byTrial("switches", "core_times", "switches")},
		// Workers' waits include those that had not ended when the trial did.
		{table: "trials", name: "core_times' wait_sum_ns ≤ wait_ns + created_wait_ns", within: 0.001, measured: true,
			atMost: true, both: func(row figures, all tables) (float64, float64) {
				waits := of(row, "wait_ns") + of(row, "created_wait_ns")
				return all["core_times"].where(row, "trial").sum("wait_sum_ns"), waits
			}},
		{table: "runs", name: "others_share × wall_ns = others_ns", within: 0.001,
			both: func(row figures, _ tables) (float64, float64) {
				return of(row, "others_share") * of(row, "wall_ns"), of(row, "others_ns")
			}},
		{table: "runs", name: "trials = rows of trials", both: func(row figures, all tables) (float64, float64) {
			return of(row, "trials"), float64(len(all["trials"]))
		}},
	}
	for _, phase := range []string{"pick", "switch", "cost"} {
		list = append(list, identity{table: "cores", name: phase + "_count = histogram's",
			both: buckets(phase+"_count", phase, "trial", "core", "class")})
	}
	for _, c := range []string{"wall_ns", "idle_ns", "workers_ns", "others_ns", "self_ns", "steal_ns"} {
		list = append(list,
			identity{table: "trials", name: c + " = table core_times' " + c, both: byTrial(c, "core_times", c)},
			identity{table: "runs", name: c + " = all core_times' " + c,
				both: func(row figures, all tables) (float64, float64) {
					return of(row, c), all["core_times"].sum(c)
				}})
	}
	for _, column := range []string{
		"wall_ns", "self_ns", "steal_ns", "switches", "lost", "unmatched", "unseen", "workers", "compared_workers",
		"reconciled_workers", "created_tasks", "reconciled_created", "accounting_error_ppm",
	} {
		list = append(list, identity{table: "runs", name: column + " = table quality's",
			both: func(row figures, all tables) (float64, float64) {
				return of(row, column), all["quality"].value(column)
			}})
	}
	return list
}

// byTrial compares a figure with the sum over the rows of the same trial in another table.
func byTrial(column, table, other string) func(figures, tables) (float64, float64) {
	return func(row figures, all tables) (float64, float64) {
		return of(row, column), all[table].where(row, "trial").sum(other)
	}
}

// buckets compares a count with the sum of the buckets of a histogram.
func buckets(column, what string, key ...string) func(figures, tables) (float64, float64) {
	return func(row figures, all tables) (float64, float64) {
		sum := 0.0
		for _, h := range all[counted].where(row, key...) {
			if h["what"] == what {
				sum += of(h, "count")
			}
		}
		return of(row, column), sum
	}
}
