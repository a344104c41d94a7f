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
		of := func(l metric.Load) metric.Rounds { return e.samples(l, mode, metric.Throughput()) }
		f, ok := e.exceeds(many, mode, "operations, many ÷ one", of(many), of(one), overlapBy)
		if ok {
			gain = append(gain, f)
		}
	}
	e.record(many, metric.Parallelism())
	return fmt.Sprintf("%d workers that mostly sleep do %s × the work of one", e.workerCount(many), quoteBy(gain, span))
}
