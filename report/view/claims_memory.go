package view

import (
	"fmt"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

// othersWords is how much of what the other workers wrote to a word at one virtual
// address a worker reads there.
func othersWords() metric.Metric {
	return metric.New("others' writes seen", report.Percent, func(t *report.Trial) (float64, bool) {
		ppm, ok := metric.WorkloadFigure(t, "others_words_seen_ppm")
		return float64(ppm) / 1e4, ok && len(t.Workers) > 1
	})
}

// owning lets what workers read of each other's memory decide, and needs both modes. How
// much memory they take depends on the program that they are, and decides nothing.
func owning(e *evidence) string {
	var own, shared []report.NamedFigure
	for _, l := range metric.Loads(e.report) {
		m := othersWords()
		if l.Name != "counter" || len(e.samples(l, report.Processes, m).Values) == 0 || len(e.samples(l, report.Threads, m).Values) == 0 {
			continue
		}
		if f, ok := e.inEach(l, report.Processes, m, 0, 0); ok {
			own = append(own, f)
		}
		if f, ok := e.inEach(l, report.Threads, m, 100, 100); ok {
			shared = append(shared, f)
		}
	}
	if len(own) == 0 || len(shared) == 0 {
		if len(metric.BundledModes(e.report)) == 2 && ran(e.report, "counter") {
			e.missing = "needs what workers read of each other's words, which this report does not hold: run counter again, with two workers or more"
		}
		return ""
	}
	e.furtherMemory() // as figures beside it; the sentence of C6 has them
	return fmt.Sprintf("of what others write at an address, processes read %s there and threads %s%s",
		extreme(own, false).Quantity(), extreme(shared, true).Quantity(), exceptions(append(own, shared...)))
}

// extreme is the worst round of several figures: the least, or the greatest.
func extreme(figures []report.NamedFigure, least bool) report.NamedFigure {
	all := worst(figures)
	out := all[0]
	for _, f := range all[1:] {
		if f.Median < out.Median == least {
			out = f
		}
	}
	return out
}

// ran reports whether there are trials of a workload.
func ran(r *report.Report, workload string) bool {
	for i := range r.Trials {
		if r.Trials[i].Workload == workload {
			return true
		}
	}
	return false
}

// furtherMemory notes what each further worker takes, and says how much PSS, "" where
// that is not known.
func (e *evidence) furtherMemory() string {
	var said []string
	for i, kind := range furtherKinds() {
		var figures []report.NamedFigure
		for _, mode := range metric.BundledModes(e.report) {
			if f, ok := e.note(metric.Load{Name: "scale"}, mode, kind.name+" of each further worker", further(e.report, mode, kind.bytes)); ok {
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
		{"PSS", func(m *report.Memory) int64 { return m.PSSBytes }},
		{"page tables", func(m *report.Memory) int64 { return m.PageTableBytes }},
	}
}

// further returns, round by round, how much more memory scale's workers take for each
// one more: the slope of the line of least squares through its forms. What they share,
// such as the program's own pages, is in the line's height and not in its slope.
func further(r *report.Report, mode report.Mode, bytes func(*report.Memory) int64) metric.Rounds {
	type sums struct{ n, x, y, xx, xy float64 }
	byRound := map[int]*sums{}
	out := metric.Rounds{Unit: report.Bytes}
	var order []int
	for i := range r.Trials {
		t := &r.Trials[i]
		if t.Workload != "scale" || t.Mode != mode || t.Memory == nil || len(t.Workers) == 0 {
			continue
		}
		s := byRound[t.Round]
		if s == nil {
			s = &sums{}
			byRound[t.Round] = s
			order = append(order, t.Round)
		}
		x, y := float64(len(t.Workers)), float64(bytes(t.Memory))
		s.n, s.x, s.y, s.xx, s.xy = s.n+1, s.x+x, s.y+y, s.xx+x*x, s.xy+x*y
	}
	for _, round := range order {
		s := byRound[round]
		if spread := s.n*s.xx - s.x*s.x; spread > 0 {
			out.Values = append(out.Values, (s.n*s.xy-s.x*s.y)/spread)
			out.Round = append(out.Round, round)
		}
	}
	return out
}
