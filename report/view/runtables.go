package view

import (
	"math"

	"github.com/slicetrace/slicetrace/report"
)

// recordingPairs are rows of the table quality, all absent without a recording.
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

// qualityTable has one row per figure of the trust block. lost is everything
// that is missing in the figures: the sum of unmatched, unwatched, map_full,
// dropped_tasks and recursion_misses.
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
		{"wall_ns", integer(q.WallNS)},
		{"self_ns", integer(q.SelfNS)},
		{"steal_ns", integer(q.StealNS)},
		{"accounting_error_ppm", integer(q.AccountingErrorPPM)},
	}
	list = append(list, propertyPairs(r.Capture.Properties())...)
	list = append(list,
		pair{"unseen", integer(q.Lost.Unseen)},
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

// hostTable has one row per part of the fingerprint, and then one per setting.
func hostTable(r *report.Report) Table {
	return pairs("host", propertyPairs(append(r.Host.Properties(), r.Settings.Properties()...)))
}

// positiveField is a number of which 0 says that it was not read, or not asked for.
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

// pairs is a table whose values are of several kinds, and so texts.
func pairs(table string, list []pair) Table {
	return Table{Name: table, Columns: columnList("name:text value:text"), Rows: func(yield func([]Field) bool) {
		for _, p := range list {
			if !yield([]Field{{Text: p.name}, p.value}) {
				return
			}
		}
	}}
}

// findingTable has one row per finding and figure; a finding without figures
// has one row. The figure that is the finding's effect has is_effect 1.
func findingTable(r *report.Report) Table {
	columns := columnList(`claim:text verdict:text workload:text variant:name mode:text figure:text unit:text
		median:decimal low:decimal high:decimal p:decimal n is_effect sentence:text reason:text`)
	return Table{Name: "findings", Columns: columns, Rows: func(yield func([]Field) bool) {
		for _, f := range r.Findings {
			figures := f.Figures
			if len(figures) == 0 {
				figures = []report.NamedFigure{{}}
			}
			for _, g := range figures {
				row := []Field{free(f.Claim), free(string(f.Verdict))}
				row = append(append(row, namedFigureFields(g)...), integer(isEffect(&f, g)))
				if !yield(append(row, free(f.Sentence), free(f.Reason))) {
					return
				}
			}
		}
	}}
}

func isEffect(f *report.Finding, g report.NamedFigure) int {
	if e := f.Effect; e != nil && e.Name == g.Name && e.Workload == g.Workload && e.Variant == g.Variant && e.Mode == g.Mode {
		return 1
	}
	return 0
}

// namedFigureFields returns the figure's columns, empty for the zero figure.
func namedFigureFields(f report.NamedFigure) []Field {
	median, n, p := decimal(f.Median, f.N > 0), absent(), absent()
	if f.N > 0 {
		n = integer(f.N)
	}
	if f.P != nil && !math.IsNaN(*f.P) && !math.IsInf(*f.P, 0) {
		p = probability(*f.P)
	}
	return []Field{
		free(f.Workload), free(f.Variant), free(string(f.Mode)), free(f.Name), free(string(f.Unit)),
		median, optional(f.Low), optional(f.High), p, n,
	}
}
