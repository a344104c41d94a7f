package table

import "github.com/slicetrace/slicetrace/report"

// recordingPairs are rows of the table quality. They are absent if no recording was made.
func recordingPairs(r *report.Recording) []pair {
	value := func(of func() Field) Field {
		if r == nil {
			return absent()
		}
		return of()
	}
	return []pair{
		{"recorded_switches", value(func() Field { return integer(r.Switches) })},
		{"recorded_wakeups", value(func() Field { return integer(r.Wakeups) })},
		{"recorded_lost", value(func() Field { return integer(r.Lost) })},
		{"recorded_lost_tasks", value(func() Field { return integer(r.LostTasks) })},
		{"recorded_bytes", value(func() Field { return integer(r.Bytes) })},
		{"recorded_tool_cpu_ns", value(func() Field { return integer(r.ToolCPUNS) })},
	}
}

// qualityTable has one row per figure of the trust block. lost is everything that is missing from
// the figures: the sum of unmatched, unwatched, map_full, dropped_tasks and recursion_misses.
func qualityTable(r *report.Report) Table {
	q := r.Quality
	clean := 0
	if ok, _ := r.Clean(); ok {
		clean = 1
	}
	list := []pair{
		{"clean", integer(clean)},
		{"switches", integer(q.Switches)},
		{"lost", integer(q.Lost.Total() + q.RecursionMisses)},
		{"unmatched", integer(q.Lost.Unmatched())},
		{"unmatched_pick", integer(q.Lost.UnmatchedPick)},
		{"unmatched_switch", integer(q.Lost.UnmatchedSwitch)},
		{"map_full", integer(q.Lost.MapFull)},
		{"dropped_tasks", integer(q.Lost.DroppedTasks)},
		{"recursion_misses", integer(q.RecursionMisses)},
		{"reconciled_workers", integer(q.ReconciledWorkers)},
		{"compared_workers", integer(q.ComparedWorkers)},
		{"workers", integer(q.Workers)},
		{"probe_floor_ns", known(q.ProbeFloorNS)},
		{"pick_floor_ns", known(q.PickFloorNS)},
		{"wall_ns", integer(q.WallNS)},
		{"self_ns", integer(q.SelfNS)},
		{"steal_ns", integer(q.StealNS)},
		{"accounting_error_ppm", integer(q.AccountingErrorPPM)},
	}
	list = append(list, propertyPairs(r.Capture.Properties())...)
	list = append(list,
		pair{"unseen", integer(q.Lost.HiddenSwitches)},
		pair{"created_tasks", integer(q.CreatedTasks)},
		pair{"reconciled_created", integer(q.ReconciledCreated)},
		pair{"tool_switches", known(q.ToolSwitches)},
		pair{"unwatched", integer(q.Lost.Unwatched)},
		pair{"runtime_error_ppm", known(q.RuntimeErrorPPM)},
		pair{"on_cpu_ns", positiveField(q.OnCPUNS)},
		pair{"runtime_ns", positiveField(q.RuntimeNS)},
	)
	return pairs("quality", append(list, recordingPairs(r.Recording)...))
}

// hostTable has one row per property of the host, followed by one per setting.
func hostTable(r *report.Report) Table {
	return pairs("host", propertyPairs(append(r.Host.Properties(), r.Settings.Properties()...)))
}

// positiveField is a number. 0 means that it was not read, or not asked for, and is absent.
func positiveField(n int64) Field {
	if n <= 0 {
		return absent()
	}
	return integer(n)
}

type pair struct {
	name  string
	value Field
}

// propertyField is a property's value.
func propertyField(p report.Property) Field { return Field{Text: p.Value, Free: !p.Number} }

func propertyPairs(list []report.Property) []pair {
	out := make([]pair, len(list))
	for i, p := range list {
		out[i] = pair{p.Name, propertyField(p)}
	}
	return out
}

// pairs is a table whose values have several types, and are therefore texts.
func pairs(table string, list []pair) Table {
	return Table{Name: table, Columns: columnList("name:text value:text"), Rows: func(yield func([]Field) bool) {
		for _, p := range list {
			if !yield([]Field{{Text: p.name}, p.value}) {
				return
			}
		}
	}}
}
