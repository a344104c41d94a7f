package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/slicetrace/slicetrace/report/stats"
)

// evidence collects what decides one claim.
type evidence struct {
	report  *Report
	figures []NamedFigure
	parts   []part
	effect  *NamedFigure
	// group is that of the parts to come, "" for each by itself.
	group string
	// few says that a part was undecided for want of rounds.
	few bool
	// busy says that other tasks took too much of the cores for the verdict to stand.
	busy bool
	// partly says what a part of the claim lacks, so that the claim cannot stand.
	partly string
	// missing is a reason for having no evidence that is not a workload's absence.
	missing string
}

// part is what one figure says of the claim. Parts of a group are cases of the same
// thing, of which one that differs does not break the claim.
type part struct {
	verdict Verdict
	group   string
}

// verdict joins the parts. A claim stands if nothing is missing and all its parts
// stand, and falls with one, or with all of a group.
func (e *evidence) verdict() Verdict {
	falls := map[string]bool{}
	stands := e.partly == ""
	for _, p := range e.parts {
		stands = stands && p.verdict == Supported
		all, seen := falls[p.group]
		falls[p.group] = (all || !seen) && p.verdict == Contradicted
	}
	for _, fallen := range falls {
		if fallen {
			return Contradicted
		}
	}
	if stands {
		return Supported
	}
	return Inconclusive
}

// need says what is missing where a part of the claim has no figures.
func (e *evidence) need(found bool, lack string) {
	if !found && e.partly == "" {
		e.partly = lack
	}
}

// has reports whether a part has that verdict.
func (e *evidence) has(v Verdict) bool {
	return slices.ContainsFunc(e.parts, func(p part) bool { return p.verdict == v })
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
	case len(s.values) < stats.LeastPairs:
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
	e.decide(e.judge(f, least, most), f)
}

// judge is what the interval of a figure says of a bound.
func (e *evidence) judge(f NamedFigure, least, most float64) Verdict {
	switch {
	case f.Low == nil:
		e.few = e.few || f.N < stats.LeastPairs
	case *f.Low >= least && *f.High <= most:
		return Supported
	case *f.High < least || *f.Low > most:
		return Contradicted
	}
	return Inconclusive
}

// decide adds a part. The first one is the claim's effect.
func (e *evidence) decide(v Verdict, f NamedFigure) {
	group := e.group
	if group == "" {
		group = fmt.Sprint("part ", len(e.parts))
	}
	e.parts = append(e.parts, part{v, group})
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

// span quotes a ratio, and its interval by its ends where that leaves it undecided on
// which side of 1 it lies.
func span(f NamedFigure) string {
	if interval := undecidedEnds(f); interval != "" {
		return fmt.Sprintf("%s (%s)", f.Quantity(), interval)
	}
	return f.Quantity().String()
}

func undecidedEnds(f NamedFigure) string {
	if f.Low == nil || *f.Low > 1 || *f.High < 1 {
		return ""
	}
	return ends(Of(*f.Low, f.Unit), Of(*f.High, f.Unit))
}

// ends writes an interval.
func ends(low, high Quantity) string { return low.String() + "–" + high.String() }

// quote writes a figure measured in each mode, once where both read alike.
func quote(figures []NamedFigure) string {
	return quoteBy(figures, func(f NamedFigure) string { return f.Quantity().String() })
}

func quoteBy(figures []NamedFigure, write func(NamedFigure) string) string {
	if len(figures) == 0 {
		return Quantity{}.String()
	}
	var out []string
	for _, f := range figures {
		out = append(out, write(f))
	}
	return strings.Join(slices.Compact(out), " and ")
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
	case e.has(Supported) && e.has(Contradicted):
		return c.Title + ", not alike for all work"
	case e.few:
		return c.Title + ", too few rounds to decide"
	case e.partly != "":
		return c.Title + ", undecided without all its parts"
	}
	return c.Title + ", undecided"
}
