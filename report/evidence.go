package report

import (
	"math"
	"slices"
	"strings"
)

// evidence collects what decides one claim.
type evidence struct {
	report  *Report
	figures []NamedFigure
	parts   []Verdict
	effect  *NamedFigure
	// few says that a part was undecided for want of rounds.
	few bool
	// busy says that other tasks took too much of the cores for a claim to fall.
	busy bool
	// missing is a reason for having no evidence that is not a workload's absence.
	missing string
}

// verdict joins the parts. A claim stands if all its parts do, and falls with
// one; a family of like parts falls only if all do.
func (e *evidence) verdict(family bool) Verdict {
	count := map[Verdict]int{}
	for _, v := range e.parts {
		count[v]++
	}
	switch n := len(e.parts); {
	case count[Supported] == n:
		return Supported
	case count[Contradicted] == n, !family && count[Contradicted] > 0:
		return Contradicted
	}
	return Inconclusive
}

// samples returns a metric of a load in one mode.
func (e *evidence) samples(l load, mode Mode, m metric) rounds {
	return sampleRounds(e.report.trialsOf(l, mode), m)
}

// note records a figure without letting it decide; ok is false for an empty sample.
func (e *evidence) note(l load, mode Mode, name string, s rounds) (f NamedFigure, ok bool) {
	if len(s.values) == 0 {
		return f, false
	}
	sum := s.summary()
	if math.IsInf(sum.Center, 0) || math.IsNaN(sum.Center) {
		return f, false // an altered file can hold such times
	}
	f = NamedFigure{
		Name: name, Workload: l.name, Variant: l.variant, Mode: mode,
		Unit: s.unit, Median: sum.Center, N: len(s.values),
	}
	if !math.IsInf(sum.Lo, 0) && !math.IsInf(sum.Hi, 0) {
		f.Low, f.High = &sum.Lo, &sum.Hi
	}
	e.figures = append(e.figures, f)
	return f, true
}

// record notes a metric of a load in every mode.
func (e *evidence) record(l load, m metric) []NamedFigure {
	var out []NamedFigure
	for _, mode := range e.report.bundledModes() {
		if f, ok := e.note(l, mode, m.name, e.samples(l, mode, m)); ok {
			out = append(out, f)
		}
	}
	return out
}

// within lets a metric of a load decide, in every mode: supported if its whole
// interval is from least to most, contradicted if all of it is outside on one side.
func (e *evidence) within(l load, m metric, least, most float64) []NamedFigure {
	figures := e.record(l, m)
	for _, f := range figures {
		e.bound(f, least, most)
	}
	return figures
}

func (e *evidence) bound(f NamedFigure, least, most float64) {
	verdict := Inconclusive
	switch {
	case f.Low == nil:
		e.few = true
	case *f.Low >= least && *f.High <= most:
		verdict = Supported
	case *f.High < least || *f.Low > most:
		verdict = Contradicted
	}
	e.decide(verdict, f)
}

// decide adds a part. The first one is the claim's effect.
func (e *evidence) decide(v Verdict, f NamedFigure) {
	e.parts = append(e.parts, v)
	if e.effect == nil {
		e.effect = &f
	}
}

// exceeds lets the ratio a ÷ b decide: supported if the test tells them apart
// and the median ratio is at least least; contradicted if the test finds a the
// smaller or the ratio's whole interval is below least.
func (e *evidence) exceeds(l load, mode Mode, name string, a, b rounds, least float64) (f NamedFigure, ok bool) {
	if len(a.values) == 0 || len(b.values) == 0 {
		return f, false
	}
	d := compare(a, b)
	if f, ok = e.note(l, mode, name, d.ratios); !ok {
		return f, false
	}
	f.P = &d.p
	e.figures[len(e.figures)-1] = f
	switch {
	case d.significant() && f.Median >= least:
		e.decide(Supported, f)
	case d.significant() && f.Median < 1, f.High != nil && *f.High < least:
		e.decide(Contradicted, f)
	default:
		e.few = e.few || f.High == nil
		e.decide(Inconclusive, f)
	}
	return f, true
}

// quote writes a figure measured in each mode, once where both read alike.
func quote(figures []NamedFigure) string {
	if len(figures) == 0 {
		return Quantity{}.String()
	}
	if first := figures[0].Quantity().String(); len(figures) == 1 || first == figures[1].Quantity().String() {
		return first
	}
	var out []string
	for _, f := range figures {
		out = append(out, f.Quantity().String())
	}
	return strings.Join(out, " and ")
}

// head begins a finding's sentence with the verdict.
func (e *evidence) head(c Claim, v Verdict) string {
	switch {
	case v == Supported:
		return c.holds
	case v == Contradicted:
		return c.fails
	case e.busy:
		return c.Title + ", undecided on a machine busy with other work"
	case slices.Contains(e.parts, Supported) && slices.Contains(e.parts, Contradicted):
		return c.Title + ", not alike for all work"
	case e.few:
		return c.Title + ", too few rounds to decide"
	}
	return c.Title + ", undecided"
}
