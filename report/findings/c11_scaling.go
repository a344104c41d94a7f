package findings

import (
	"fmt"
	"slices"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

// scaling lets the speed of as many workers as cores, or nearly, decide against one
// worker's: any gain is one, whatever its proportion.
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
		ratio := metric.Compare(e.samples(most, mode, metric.Throughput()), e.samples(one, mode, metric.Throughput()))
		f, ok := e.noteRatio(most, mode, "speed-up over 1 worker", ratio)
		if !ok {
			continue
		}
		verdict := e.judge(f, dearerBy, unbounded())
		if f.Low != nil && *f.Low > 1 {
			verdict = report.Supported
		}
		e.decide(verdict, f)
		speedup = append(speedup, f)
		if n > 1 { // an altered report may say that nobody worked
			part = append(part, e.proportion(f, n))
		}
	}
	facts := fmt.Sprintf("%.0f workers on %d cores are %s × as fast as one", n, usableCores(e.report), quoteBy(speedup, span))
	if slices.ContainsFunc(part, func(f report.NamedFigure) bool { return f.Median < inProportion }) {
		facts += fmt.Sprintf(", which is %s of the proportion", quote(part))
	}
	if e.report.Host.SMT == "on" {
		facts += "; cores are logical ones, two or more of which share a physical core's units (SMT)"
	}
	return facts
}

// proportion notes what part of n a speed-up is, without letting it decide.
func (e *evidence) proportion(f report.NamedFigure, n float64) report.NamedFigure {
	scaled := func(x float64) *float64 { x *= 100 / n; return &x }
	f.Name, f.Unit, f.P, f.Median = "speed-up ÷ workers", report.Share, nil, *scaled(f.Median)
	if f.Low != nil {
		f.Low, f.High = scaled(*f.Low), scaled(*f.High)
	}
	e.figures = append(e.figures, f)
	return f
}
