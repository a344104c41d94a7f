package report

import (
	"fmt"
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

// noteRatio records a ratio without letting it decide; ok is false where there is none.
func (e *evidence) noteRatio(l load, mode Mode, name string, d difference) (f NamedFigure, ok bool) {
	if !d.known {
		return f, false
	}
	f = NamedFigure{
		Name: name, Workload: l.name, Variant: l.variant, Mode: mode,
		Unit: Ratio, Median: d.center, P: &d.p, N: d.n,
	}
	if d.bounded() {
		f.Low, f.High = &d.low, &d.high
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

// always lets each round of a load decide, in every mode: supported if all rounds keep
// a metric from least to most, contradicted by one that does not.
func (e *evidence) always(l load, m metric, least, most float64) []NamedFigure {
	var out []NamedFigure
	for _, mode := range e.report.bundledModes() {
		if f, ok := e.inEach(l, mode, m, least, most); ok {
			out = append(out, f)
		}
	}
	return out
}

// inEach is always in one mode.
func (e *evidence) inEach(l load, mode Mode, m metric, least, most float64) (f NamedFigure, ok bool) {
	s := e.samples(l, mode, m)
	if f, ok = e.note(l, mode, m.name, s); !ok {
		return f, false
	}
	beyond := func(v float64) float64 { return max(v-most, least-v) }
	worst, broken := s.values[0], 0
	for _, v := range s.values {
		if beyond(v) > 0 {
			broken++
		}
		if beyond(v) > beyond(worst) {
			worst = v
		}
	}
	f.Worst, f.Broken = &worst, &broken
	e.figures[len(e.figures)-1] = f
	switch {
	case broken > 0:
		e.decide(Contradicted, f)
	case len(s.values) < leastPairs:
		e.few = true
		e.decide(Inconclusive, f)
	default:
		e.decide(Supported, f)
	}
	return f, true
}

// exceptions says in how many rounds a bound was broken, "" for none.
func exceptions(figures []NamedFigure) string {
	broken, n := 0, 0
	for _, f := range figures {
		broken, n = broken+*f.Broken, n+f.N
	}
	if broken == 0 {
		return ""
	}
	return fmt.Sprintf(", but not in %d of %d rounds", broken, n)
}

// worst quotes the worst round of a figure instead of its median.
func worst(figures []NamedFigure) []NamedFigure {
	out := slices.Clone(figures)
	for i := range out {
		out[i].Median = *out[i].Worst
	}
	return out
}

func (e *evidence) bound(f NamedFigure, least, most float64) {
	verdict := Inconclusive
	switch {
	case f.Low == nil:
		e.few = e.few || f.N < leastPairs
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

// exceeds lets the ratio a ÷ b decide: supported if its whole interval is at least
// least, contradicted if all of it is below.
func (e *evidence) exceeds(l load, mode Mode, name string, a, b rounds, least float64) (f NamedFigure, ok bool) {
	if f, ok = e.noteRatio(l, mode, name, compare(a, b)); ok {
		e.bound(f, least, unbounded())
	}
	return f, ok
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
