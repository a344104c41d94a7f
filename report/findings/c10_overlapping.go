package findings

import (
	"fmt"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

func overlapping(e *evidence) string {
	one, many := metric.Load{Name: "sleep", Variant: "one"}, metric.Load{Name: "sleep", Variant: "many"}
	var gain []report.NamedFigure
	for _, mode := range metric.BundledModes(e.report) {
		f, ok := e.exceeds(many, mode, "operations, many ÷ one", e.samples(many, mode, metric.Throughput()), e.samples(one, mode, metric.Throughput()), overlapBy)
		if ok {
			gain = append(gain, f)
		}
	}
	e.record(many, metric.Parallelism())
	return fmt.Sprintf("%d sleepers got %s × the work of one done", e.workerCount(many), quoteBy(gain, span))
}
