package live_test

import (
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/view/live"
)

func manyTasks() *report.Report {
	return reporttest.System(reporttest.SystemSize{Cores: 1000, Tasks: 50_000, Groups: 2000, Intervals: 2})
}

// BenchmarkAdd measures what one interval of a very large machine takes, besides drawing.
func BenchmarkAdd(b *testing.B) {
	r := manyTasks()
	m := live.New(nil)
	for i := 0; b.Loop(); i++ {
		m.Add(&r.Trials[i%2])
	}
}

// BenchmarkTable measures the table of such an interval, sorted, with the rows that are visible.
func BenchmarkTable(b *testing.B) {
	r := manyTasks()
	for _, by := range live.Groupings() {
		for _, sort := range []string{"on CPU", "wait p99"} {
			b.Run(by.String()+"/"+sort, func(b *testing.B) {
				m := live.New(nil)
				for i := 0; b.Loop(); i++ {
					b.StopTimer()
					m.Add(&r.Trials[i%2])
					m.Update()
					b.StartTimer()
					t := m.Tasks(live.TaskOptions{By: by, Sort: sort})
					for row := range min(100, t.Rows()) {
						for column := range t.Columns {
							t.Cell(row, column)
						}
					}
				}
			})
		}
	}
}
