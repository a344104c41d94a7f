package findings

import (
	"fmt"
	"slices"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

// scaling decides by the throughput of as many workers as there are cores, or nearly as many,
// compared with that of one worker. Any gain supports the claim, whether or not it is proportional.
func scaling(e *evidence) string {
	if !e.twoCores() {
		return ""
	}
	one, some := scaled(e.report, 1)
	most, more := scaled(e.report, usableCores(e.report))
	if !some || !more || most.Variant == one.Variant {
		return ""
	}
	n := float64(e.workerCount(most))
	var speedup, part []report.NamedFigure
	for _, mode := range metric.BundledModes(e.report) {
		of := func(l metric.Load) metric.Rounds { return e.samples(l, mode, metric.Throughput()) }
		ratio := metric.Compare(of(most), of(one))
		f, ok := e.noteRatio(most, mode, "speed-up over 1 worker", ratio)
		if !ok {
			continue
		}
		verdict := e.judge(f, clearlyMore, unbounded())
		if f.Low != nil && *f.Low > 1 {
			verdict = report.Supported
		}
		e.decide(verdict, f)
		speedup = append(speedup, f)
		if n > 1 { // an altered report may claim to have no workers
			part = append(part, e.proportion(f, n))
		}
	}
	facts := fmt.Sprintf("%.0f workers on %d cores are %s × as fast as one",
		n, usableCores(e.report), quoteBy(speedup, span))
	isLess := func(f report.NamedFigure) bool { return f.Median < inProportion }
	if slices.ContainsFunc(part, isLess) {
		facts += fmt.Sprintf(", which is %s of a proportional speed-up", quote(part))
	}
	if e.report.Host.SMT == "on" {
		facts += "; these are logical cores, several of which share the units of one physical core (SMT)"
	}
	return facts
}

// proportion records the speed-up as a share of n. It decides nothing.
func (e *evidence) proportion(f report.NamedFigure, n float64) report.NamedFigure {
	scaled := func(x float64) *float64 { x *= 100 / n; return &x }
	f.Name, f.Unit, f.P, f.Median = "speed-up ÷ workers", report.Share, nil, *scaled(f.Median)
	if f.Low != nil {
		f.Low, f.High = scaled(*f.Low), scaled(*f.High)
	}
	e.figures = append(e.figures, f)
	return f
}
