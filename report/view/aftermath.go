package view

import (
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

// aftermathSection shows what a switch costs after its end. With and without a switch
// are of the same trial, and compared round by round: ~ where they are alike.
func aftermathSection(r *report.Report) Section {
	b := newBrief(r, "After a switch", "How long a worker takes to go through its memory without a switch, and how many times as long after one "+
		"(colder caches, TLB) in the same round; ~ where alike. Two workers unless said.")
	b.of(metric.WorkingSets(r))
	b.s.Columns[0].Name = "workingset"
	for i, l := range b.loads {
		b.cells[i][0] = textCell(l.Variant)
	}
	b.show("without a switch", metric.WalkAlone())
	for i, mode := range b.modes {
		heading := string(mode)
		if i == 0 {
			heading = "after one\n" + heading
		}
		b.column(heading, false, func(l metric.Load) Cell {
			trials := metric.TrialsOf(r, l, mode)
			return compareCells(metric.Sample(trials, metric.WalkAfter()), metric.Sample(trials, metric.WalkAlone()), b.notes)[0]
		})
	}
	b.show("longer by", metric.CacheRefillCost())
	return b.section()
}
