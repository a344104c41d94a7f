package findings

import (
	"fmt"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

// running decides by parallelism. All workers are in progress throughout, since none of them
// blocks.
func running(e *evidence) string {
	if !e.twoCores() {
		return ""
	}
	all, one := whole("spin"), oneCore()
	m := metric.Parallelism()
	var ran []report.NamedFigure
	for _, mode := range metric.BundledModes(e.report) {
		d := metric.Compare(e.samples(all, mode, m), e.samples(one, mode, m))
		if f, ok := e.noteRatio(all, mode, m.Name+", all cores ÷ one core", d); ok {
			ran = append(ran, f)
			e.bound(f, parallelBy, unbounded())
		}
	}
	alone, together := e.record(one, m), e.record(all, m)
	e.record(one, metric.Concurrency())
	e.record(all, metric.Concurrency())
	return fmt.Sprintf("of %d workers on one core %s run at once, of %d on %d cores %s (%s ×)",
		e.workerCount(one), quote(alone),
		e.workerCount(all), usableCores(e.report), quote(together), quoteBy(ran, span))
}
