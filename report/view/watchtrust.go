package view

import (
	"fmt"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

// ownCost returns the rows of the trust section that only a watched system has, nil for other
// reports.
func ownCost(r *report.Report) []Row {
	if !isWatch(r) {
		return nil
	}
	trials := metric.SystemTrials(r)
	var watched, compared, reconciled uint64
	for _, t := range trials {
		watched = max(watched, t.System.Watched)
		compared, reconciled = compared+t.System.Compared, reconciled+t.System.Reconciled
	}
	row := func(name string, figure report.Quantity, meaning string) Row {
		return Row{textCell(name), valueCell(figure), textCell(meaning)}
	}
	return []Row{
		row("tasks watched", ofCount(watched), "at most, with those that did nothing"),
		row("programs' time", metric.ProgramShare(trials), "of core time, by slicetrace's eBPF programs, from samples"),
		row("slicetrace's time", metric.ToolShare(trials), "of core time, by the process that reads and draws"),
		{
			textCell("tasks that ended"), textCell(fmt.Sprintf("%d of %d", reconciled, compared)),
			textCell("on the whole machine: switch counts equal the kernel's own nvcsw and nivcsw"),
		},
	}
}

// costOfWatch says in sentences what watching took.
func costOfWatch(r *report.Report) string {
	rows := ownCost(r)
	return fmt.Sprintf("%s tasks watched at most. Of core time, slicetrace's programs took %s and its process %s."+
		" Of the tasks that ended, %s have switch counts that equal the kernel's own.",
		rows[0][1].Value, rows[1][1].Value, rows[2][1].Value, rows[3][1].Text)
}
