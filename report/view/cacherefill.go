package view

import (
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

// cacheRefillSection shows what a switch costs after its end. The times with and without a switch
// are from the same trials and are compared round by round.
func cacheRefillSection(r *report.Report) Section {
	t := newOverviewTable(r, "After a switch", "How long a worker takes to go through its memory without a switch "+
		"before it, and how many times as long just after one, with colder caches and TLB; "+
		"~ means no difference. Two workers unless stated.")
	t.of(metric.WorkingSets(r))
	t.s.Columns[0].Name = "workingset"
	for i, l := range t.loads {
		t.cells[i][0] = textCell(l.Variant)
	}
	t.show("without a switch", metric.WalkAlone())
	for i, mode := range t.modes {
		heading := string(mode)
		if i == 0 {
			heading = "after a switch\n" + heading
		}
		t.column(heading, false, func(l metric.Load) Cell {
			trials := metric.TrialsOf(r, l, mode)
			after, alone := metric.Sample(trials, metric.WalkAfter()), metric.Sample(trials, metric.WalkAlone())
			return compareCells(after, alone, t.notes)[0]
		})
	}
	t.show("longer by", metric.CacheRefillCost())
	return t.section()
}
