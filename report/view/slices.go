package view

import (
	"cmp"
	"slices"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/histogram"
)

// sliceSection shows how long workers kept a core and why they lost it.
func sliceSection(r *report.Report) Section {
	s := Section{
		Title:   "Time slices",
		Caption: "How long a worker kept a core, from switch-in to switch-out, and what ended it.",
		Columns: append(append([]Column{textColumn("mode")}, columns("slices", "p50", "p90", "p99", "longest")...), textColumn("ended by")),
	}
	for _, load := range loads(r) {
		g := load.group()
		for _, mode := range load.modes {
			length, causes := sliceLengths(trialsOf(r, load, mode))
			if length.Count == 0 {
				continue
			}
			g.Rows = append(g.Rows, Row{
				textCell(string(mode)), valueCell(ofCount(length.Count)),
				valueCell(quantile(length, 0.5)), valueCell(quantile(length, 0.9)), valueCell(quantile(length, 0.99)),
				valueCell(report.Of(float64(length.MaxNS), report.Nanoseconds)), causeCell(causes, 3),
			})
		}
		if len(g.Rows) > 0 {
			s.Groups = append(s.Groups, g)
		}
	}
	return s
}

// sliceLengths pools the slices of trials over cores and causes.
func sliceLengths(trials []*report.Trial) (length histogram.Histogram, causes report.CauseCounts) {
	var all histogram.Sum
	for _, t := range trials {
		for i := range t.Cores {
			for _, s := range t.Cores[i].Slices {
				all.Add(s.Length)
				if n := causes.At(s.EndedBy); n != nil {
					*n += s.Length.Count
				}
			}
		}
	}
	return all.Histogram(), causes
}

// causeCell lists the commonest causes with their shares, at most limit of
// them and none below 0.05 %.
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
