package view

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

// topTasks is how many of a command's tasks are shown.
const topTasks = 10

// taskSection shows the tasks of a command that used the most CPU.
func taskSection(r *report.Report, load metric.Load) Section {
	s := Section{
		Title:   "Tasks",
		Caption: "The command's tasks by CPU time. Longest is the longest single wait.",
		Columns: append(append([]Column{{Name: "tid"}, textColumn("name")},
			columns("on CPU", "wait", "longest", "slices", "voluntary", "involuntary")...), textColumn("ended by")),
	}
	if byRounds(r) {
		s.Title += " of " + shortName(load.Name)
		s.Caption = "Of all rounds, t" + s.Caption[1:]
	}
	var tasks []*report.Worker
	rest := 0
	for _, t := range metric.TrialsOf(r, load, report.Command) {
		for i := range t.Workers {
			if w := &t.Workers[i]; w.Merged > 0 {
				rest += w.Tasks()
			} else {
				tasks = append(tasks, w)
			}
		}
	}
	slices.SortStableFunc(tasks, func(a, b *report.Worker) int { return cmp.Compare(b.OnCPUNS, a.OnCPUNS) })
	shown := min(topTasks, len(tasks))
	var g Group
	for _, w := range tasks[:shown] {
		g.Rows = append(g.Rows, taskRow(w))
	}
	if shown > 0 {
		s.Groups = append(s.Groups, g)
	}
	rest += len(tasks) - shown
	if rest > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("%d more tasks in: slicetrace export REPORT --table workers", rest))
	}
	return s
}

func taskRow(w *report.Worker) Row {
	return Row{
		textCell(strconv.Itoa(int(w.TID))), textCell(w.Comm),
		valueCell(report.Of(float64(w.OnCPUNS), report.Nanoseconds)),
		valueCell(report.Of(float64(w.WaitNS), report.Nanoseconds)),
		valueCell(report.Of(float64(w.WaitMaxNS), report.Nanoseconds)), valueCell(ofCount(w.Slices)),
		valueCell(ofCount(w.Voluntary)), valueCell(ofCount(w.Involuntary)), causeCell(w.EndedBy, 1),
	}
}
