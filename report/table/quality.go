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
		{"recorded_switches", value(func() Field { return Whole(r.Switches) })},
		{"recorded_wakeups", value(func() Field { return Whole(r.Wakeups) })},
		{"recorded_lost", value(func() Field { return Whole(r.Lost) })},
		{"recorded_lost_tasks", value(func() Field { return Whole(r.LostTasks) })},
		{"recorded_bytes", value(func() Field { return Whole(r.Bytes) })},
		{"recorded_tool_cpu_ns", value(func() Field { return Whole(r.ToolCPUNS) })},
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
		{"clean", Whole(clean)},
		{"switches", Whole(q.Switches)},
		{"lost", Whole(q.Lost.Total() + q.RecursionMisses)},
		{"unmatched", Whole(q.Lost.Unmatched())},
		{"unmatched_pick", Whole(q.Lost.UnmatchedPick)},
		{"unmatched_switch", Whole(q.Lost.UnmatchedSwitch)},
		{"map_full", Whole(q.Lost.MapFull)},
		{"dropped_tasks", Whole(q.Lost.DroppedTasks)},
		{"recursion_misses", Whole(q.RecursionMisses)},
		{"reconciled_workers", Whole(q.ReconciledWorkers)},
		{"compared_workers", Whole(q.ComparedWorkers)},
		{"workers", Whole(q.Workers)},
		{"probe_floor_ns", known(q.ProbeFloorNS)},
		{"wall_ns", Whole(q.WallNS)},
		{"self_ns", Whole(q.SelfNS)},
		{"steal_ns", Whole(q.StealNS)},
		{"accounting_error_ppm", Whole(q.AccountingErrorPPM)},
	}
	list = append(list, propertyPairs(r.Capture.Properties())...)
	list = append(list,
		pair{"unseen", Whole(q.Lost.HiddenSwitches)},
		pair{"created_tasks", Whole(q.CreatedTasks)},
		pair{"reconciled_created", Whole(q.ReconciledCreated)},
		pair{"tool_switches", known(q.ToolSwitches)},
		pair{"unwatched", Whole(q.Lost.Unwatched)},
		pair{"runtime_error_ppm", known(q.RuntimeErrorPPM)},
		pair{"on_cpu_ns", positiveField(q.OnCPUNS)},
		pair{"runtime_ns", positiveField(q.RuntimeNS)},
	)
	list = append(list, recordingPairs(r.Recording)...)
	return pairs("quality", append(list,
		pair{"pick_floor_ns", known(q.PickFloorNS)}, pair{"unplaced_slices", Whole(q.Lost.UnplacedSlices)}))
}

// hostTable has one row per property of the host, followed by one per setting.
func hostTable(r *report.Report) Table {
	return pairs("host", propertyPairs(append(r.Host.Properties(), r.Settings.Properties()...)))
}

type pair struct {
	name  string
	value Field
}

// propertyField is a property's value, as a text.
func propertyField(p report.Property) Field {
	if p.Number {
		return textOf(p.Value, ownText)
	}
	return FreeText(p.Value)
}

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
			if !yield([]Field{textOf(p.name, ownText), p.value}) {
				return
			}
		}
	}}
}
