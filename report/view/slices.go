package view

import (
	"cmp"
	"slices"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/internal/words"
	"github.com/slicetrace/slicetrace/report/metric"
)

// sliceSection shows how long workers kept a core and why they lost it.
func sliceSection(r *report.Report) Section {
	s := Section{
		Title:   "Time slices",
		Caption: "How long a " + workerOf(r) + " kept a core, from switch-in to switch-out, and what ended it.",
		Columns: append(append([]Column{textColumn("mode")},
			columns("slices", "p50", "p90", "p99", "longest")...), textColumn("ended by")),
	}
	for _, load := range metric.Loads(r) {
		g := groupOf(r, load)
		for _, mode := range load.Modes {
			length, causes := metric.SliceLengths(metric.TrialsOf(r, load, mode))
			if length.Count == 0 {
				continue
			}
			g.Rows = append(g.Rows, Row{
				textCell(string(mode)), valueCell(ofCount(length.Count)),
				valueCell(metric.Quantile(length, 0.5)), valueCell(metric.Quantile(length, 0.9)),
				valueCell(metric.Quantile(length, 0.99)),
				valueCell(report.Of(float64(length.MaxNS), report.Nanoseconds)), causeCell(causes, 3),
			})
		}
		if len(g.Rows) > 0 {
			s.Groups = append(s.Groups, g)
		}
	}
	return s
}

// workerOf is the word for a task whose figures are shown: a worker of a workload, or any task of a
// command or of a watched system.
func workerOf(r *report.Report) string {
	return words.Choose(r.Setup.RunsCommands() || isWatch(r), "task", "worker")
}

// causeCell lists the most frequent reasons with their shares: at most limit of them, and none
// below 0.05 %.
func causeCell(counts report.CauseCounts, limit int) Cell {
	order := report.Causes()
	slices.SortStableFunc(order, func(a, b report.EndedBy) int { return cmp.Compare(*counts.At(b), *counts.At(a)) })
	var total uint64
	for _, cause := range order {
		total += *counts.At(cause)
	}
	var cell Cell
	for _, cause := range order[:min(limit, len(order))] {
		share := percent(float64(*counts.At(cause)), float64(total))
		if share.Known && share.Value >= 0.05 {
			cell.Parts = append(cell.Parts, Part{Label: string(cause), Value: report.Of(share.Value, report.Share)})
		}
	}
	return cell
}
