package findings

import (
	"fmt"
	"math"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/internal/words"
	"github.com/slicetrace/slicetrace/report/metric"
)

// furtherMemory records how much memory each further worker takes, and returns its PSS as text, ""
// if it is not known.
func (e *evidence) furtherMemory() string {
	var said []string
	for i, kind := range furtherKinds() {
		var figures []report.NamedFigure
		for _, mode := range metric.BundledModes(e.report) {
			figure := kind.name + " of each further worker"
			f, ok := e.note(metric.Load{Name: "scale"}, mode, figure, metric.FurtherMemory(e.report, mode, kind.bytes))
			if ok {
				figures = append(figures, f)
			}
		}
		if i == 0 && len(figures) > 0 {
			said = append(said, quote(figures)+" of "+kind.name)
		}
	}
	return clauses(said)
}

type memoryKind struct {
	name  string
	bytes func(*report.Memory) int64
}

func furtherKinds() []memoryKind {
	return []memoryKind{
		{"PSS", metric.PSS},
		{"page tables", func(m *report.Memory) int64 { return m.PageTableBytes }},
	}
}

// slicesEach is the average number of slices of a worker.
func slicesEach() metric.Metric {
	return metric.New("slices a worker", report.Ratio, func(t *report.Trial) (float64, bool) {
		var n uint64
		for i := range t.Workers {
			n += t.Workers[i].Slices
		}
		return float64(n) / float64(max(1, len(t.Workers))), len(t.Workers) > 0
	})
}

// longLived reports whether a load's workers had so many slices, in each mode, that their work
// outweighs their creation.
func (e *evidence) longLived(l metric.Load) bool {
	for _, mode := range []report.Mode{report.Processes, report.Threads} {
		s := e.samples(l, mode, slicesEach())
		if len(s.Values) == 0 || s.Summary().Center < fewSlices {
			return false
		}
	}
	return true
}

func keepingMany(e *evidence) string {
	loads := []metric.Load{whole("messaging")}
	if most, ok := scaled(e.report, math.MaxInt); ok {
		loads = append(loads, most)
	}
	var said []string
	e.group = "work"
	for _, l := range loads {
		threads := e.samples(l, report.Threads, metric.Throughput())
		processes := e.samples(l, report.Processes, metric.Throughput())
		f, ok := e.noteRatio(l, "", operationsRatio, metric.Compare(processes, threads))
		if !ok {
			continue
		}
		n, but := e.workerCount(l), ""
		switch {
		case n < many:
			but = ", not many"
		case !e.longLived(l):
			but = ", which mostly measures their creation"
		default:
			e.bound(f, 0, 1/clearlyMore)
		}
		said = append(said, fmt.Sprintf("%s %s (%s%s)", l.Name, span(f), words.Plural(n, "worker"), but))
	}
	if len(said) == 0 {
		return ""
	}
	e.need(len(e.parts) > 0, fmt.Sprintf("needs work of %d workers or more, with %d slices each", many, fewSlices))
	e.group = "memory"
	kind := furtherKinds()[0]
	s := func(m report.Mode) metric.Rounds { return metric.FurtherMemory(e.report, m, kind.bytes) }
	name := kind.name + " of each further worker, processes ÷ threads"
	_, ok := e.exceeds(metric.Load{Name: "scale"}, "", name, s(report.Processes), s(report.Threads), clearlyMore)
	e.need(ok, "needs the memory of scale's workers, for two numbers of workers or more")
	facts := "operations a second, processes ÷ threads: " + clauses(said)
	if taken := e.furtherMemory(); taken != "" {
		facts += "; one more worker takes " + taken
	}
	return facts
}
