package findings

import (
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

// faster decides by the throughput of threads compared with processes, for each load.
func (e *evidence) faster(loads []metric.Load) string {
	var said []string
	for _, l := range loads {
		threads := e.samples(l, report.Threads, metric.Throughput())
		processes := e.samples(l, report.Processes, metric.Throughput())
		if f, ok := e.exceeds(l, "", "operations, threads ÷ processes", threads, processes, clearlyMore); ok {
			said = append(said, l.Title()+" "+span(f))
		}
	}
	return "operations a second of threads ÷ processes: " + clauses(said)
}

func talking(e *evidence) string {
	return e.faster([]metric.Load{whole("pipe"), whole("socket"), whole("futex"), whole("messaging")})
}
