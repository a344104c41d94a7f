package findings

import (
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

// faster lets the throughput of threads against processes decide for each load.
func (e *evidence) faster(loads []metric.Load) string {
	var said []string
	for _, l := range loads {
		threads, processes := e.samples(l, report.Threads, metric.Throughput()), e.samples(l, report.Processes, metric.Throughput())
		if f, ok := e.exceeds(l, "", "operations, threads ÷ processes", threads, processes, dearerBy); ok {
			said = append(said, l.Title()+" "+span(f))
		}
	}
	return "operations a second of threads ÷ processes: " + clauses(said)
}

func talking(e *evidence) string {
	return e.faster([]metric.Load{whole("pipe"), whole("socket"), whole("futex"), whole("messaging")})
}
