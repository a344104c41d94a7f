package findings

import (
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

// operationsRatio names the ratio of the modes' operations.
const operationsRatio = "operations, processes ÷ threads"

// faster decides by the throughput of processes compared with threads, for each load.
func (e *evidence) faster(loads []metric.Load) string {
	var said []string
	for _, l := range loads {
		threads := e.samples(l, report.Threads, metric.Throughput())
		processes := e.samples(l, report.Processes, metric.Throughput())
		if f, ok := e.noteRatio(l, "", operationsRatio, metric.Compare(processes, threads)); ok {
			e.bound(f, 0, 1/clearlyMore)
			said = append(said, l.Title()+" "+span(f))
		}
	}
	return "operations a second, processes ÷ threads: " + clauses(said)
}

func talking(e *evidence) string {
	return e.faster([]metric.Load{whole("pipe"), whole("socket"), whole("futex"), whole("messaging")})
}
