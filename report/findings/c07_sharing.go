package findings

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

// lostUpdates is the part of the additions to a shared word that were overwritten.
func lostUpdates() metric.Metric {
	return metric.New("updates lost", report.PPM, func(t *report.Trial) (float64, bool) {
		counted, ok := metric.WorkloadFigure(t, "counted")
		if !ok || t.Operations == 0 {
			return 0, false
		}
		return 1e6 * float64(t.Operations-counted) / float64(t.Operations), true
	})
}

func sharing(e *evidence) string {
	counter := func(variant string) metric.Load { return metric.Load{Name: "counter", Variant: variant} }
	bare, atomic, lock := counter("unsynchronised"), counter("atomic"), counter("lock")
	lost := e.within(bare, lostUpdates(), lostPPM, unbounded())
	kept := append(e.always(atomic, lostUpdates(), 0, 0), e.always(lock, lostUpdates(), 0, 0)...)
	if len(lost)+len(kept) == 0 {
		return ""
	}
	facts := fmt.Sprintf("unsynchronised, %s of updates are lost", percentages(lost))
	if len(kept) > 0 {
		byMedian := func(a, b report.NamedFigure) int { return cmp.Compare(a.Median, b.Median) }
		most := slices.MaxFunc(worst(kept), byMedian)
		facts += fmt.Sprintf("; synchronised, %s%s", percentages([]report.NamedFigure{most}), exceptions(kept))
	}
	e.need(len(lost) > 0 && len(kept) > 0, "needs counter in all its variants")
	var price []string
	for _, l := range []metric.Load{atomic, lock} {
		var found []report.NamedFigure
		e.group = "price of " + l.Variant
		for _, mode := range metric.BundledModes(e.report) {
			without := e.samples(bare, mode, metric.Throughput())
			with := e.samples(l, mode, metric.Throughput())
			f, ok := e.exceeds(l, mode, "operations, unsynchronised ÷ "+l.Variant, without, with, clearlyMore)
			if ok {
				found = append(found, f)
			}
		}
		if len(found) > 0 {
			price = append(price, fmt.Sprintf(takes(l.Variant, len(price) == 0), quoteBy(found, span)))
		}
	}
	if len(price) > 0 {
		facts += "; " + clauses(price)
	}
	return facts
}

// takes is the format of how much longer synchronised adds take.
func takes(variant string, first bool) string {
	switch {
	case variant == "atomic":
		return "atomic adds take %s × the time"
	case first:
		return "locked adds take %s × the time"
	}
	return "locked ones %s ×"
}

// percentages quotes parts per million as percent, which most readers know better.
func percentages(figures []report.NamedFigure) string {
	scaled := slices.Clone(figures)
	for i := range scaled {
		scaled[i].Median /= 1e4
		scaled[i].Unit = report.Percent
	}
	return quote(scaled)
}
