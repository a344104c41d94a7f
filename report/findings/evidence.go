package findings

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
	"github.com/slicetrace/slicetrace/report/stats"
)

// extreme returns the worst round of several figures: the one with the least value, or the
// greatest.
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

// clauses joins the texts of single cases, as far as they were measured.
func clauses(list []string) string { return strings.Join(list, ", ") }

// starvedWords says in how many rounds a worker did not make progress, "" for none.
func starvedWords(figures []report.NamedFigure, what string) string {
	if broken := exceptions(figures); broken != "" {
		return "; " + what + broken
	}
	return ""
}

// tooShort explains why a load that ran decides nothing, "" if it did not run.
func tooShort(e *evidence, l metric.Load) string {
	if e.workerCount(l) == 0 {
		return ""
	}
	return "the trials are too short to tell: ask for a longer --duration"
}

// evidence collects the figures that decide one claim.
type evidence struct {
	report  *report.Report
	figures []report.NamedFigure
	parts   []part
	effect  *report.NamedFigure
	// group is the group of the parts that are added next, "" if each is a group of its own.
	group string
	// few is true if a part was undecided because of too few rounds.
	few bool
	// busy is true if other programs took too much of the cores to keep the verdict.
	busy bool
	// partly says what is missing for a part of the claim, so that it cannot be supported.
	partly string
	// missing is a reason for the lack of evidence other than that a workload did not run.
	missing string
}

// part is the verdict of one figure. Parts of a group are cases of the same thing: one that differs
// does not contradict the claim.
type part struct {
	verdict report.Verdict
	group   string
}

// verdict combines the parts. A claim is supported if nothing is missing and all its parts are
// supported, and contradicted by a single part, or by all parts of a group.
func (e *evidence) verdict() report.Verdict {
	contradicted := map[string]bool{}
	supported := e.partly == ""
	for _, p := range e.parts {
		supported = supported && p.verdict == report.Supported
		all, seen := contradicted[p.group]
		contradicted[p.group] = (all || !seen) && p.verdict == report.Contradicted
	}
	for _, is := range contradicted {
		if is {
			return report.Contradicted
		}
	}
	if supported {
		return report.Supported
	}
	return report.Inconclusive
}

// need records what is missing if a part of the claim has no figures.
func (e *evidence) need(found bool, lack string) {
	if !found && e.partly == "" {
		e.partly = lack
	}
}

// has reports whether any part has that verdict.
func (e *evidence) has(v report.Verdict) bool {
	return slices.ContainsFunc(e.parts, func(p part) bool { return p.verdict == v })
}

// samples returns a metric of a load in one mode.
func (e *evidence) samples(l metric.Load, mode report.Mode, m metric.Metric) metric.Rounds {
	return metric.Sample(metric.TrialsOf(e.report, l, mode), m)
}

// note records a figure without letting it decide. ok is false if the sample is empty.
func (e *evidence) note(l metric.Load, mode report.Mode, name string, s metric.Rounds) (f report.NamedFigure, ok bool) {
	if len(s.Values) == 0 {
		return f, false
	}
	sum := s.Summary()
	if math.IsInf(sum.Center, 0) || math.IsNaN(sum.Center) {
		return f, false // an altered file can hold such times
	}
	f = report.NamedFigure{
		Name: name, Workload: l.Name, Variant: l.Variant, Mode: mode,
		Unit: s.Unit, Median: sum.Center, N: len(s.Values),
	}
	if !math.IsInf(sum.Lo, 0) && !math.IsInf(sum.Hi, 0) {
		f.Low, f.High = &sum.Lo, &sum.Hi
	}
	e.figures = append(e.figures, f)
	return f, true
}

// noteRatio records a ratio without letting it decide. ok is false if there is none.
func (e *evidence) noteRatio(
	l metric.Load, mode report.Mode, name string, d metric.Difference,
) (f report.NamedFigure, ok bool) {
	if !d.Known {
		return f, false
	}
	f = report.NamedFigure{
		Name: name, Workload: l.Name, Variant: l.Variant, Mode: mode,
		Unit: report.Ratio, Median: d.Center, P: &d.P, N: d.N,
	}
	if d.Bounded() {
		f.Low, f.High = &d.Low, &d.High
	}
	e.figures = append(e.figures, f)
	return f, true
}

// record records a metric of a load in every mode.
func (e *evidence) record(l metric.Load, m metric.Metric) []report.NamedFigure {
	var out []report.NamedFigure
	for _, mode := range metric.BundledModes(e.report) {
		if f, ok := e.note(l, mode, m.Name, e.samples(l, mode, m)); ok {
			out = append(out, f)
		}
	}
	return out
}

// within decides by a metric of a load, in every mode: the part is supported if the whole interval
// is from least to most, and contradicted if all of it is outside, on one side.
func (e *evidence) within(l metric.Load, m metric.Metric, least, most float64) []report.NamedFigure {
	figures := e.record(l, m)
	for _, f := range figures {
		e.bound(f, least, most)
	}
	return figures
}

// always decides by each round of a load, in every mode: the part is supported if the metric is
// from least to most in all rounds, and contradicted if it is outside in any.
func (e *evidence) always(l metric.Load, m metric.Metric, least, most float64) []report.NamedFigure {
	var out []report.NamedFigure
	for _, mode := range metric.BundledModes(e.report) {
		if f, ok := e.inEach(l, mode, m, least, most); ok {
			out = append(out, f)
		}
	}
	return out
}

// inEach is always for one mode.
func (e *evidence) inEach(
	l metric.Load, mode report.Mode, m metric.Metric, least, most float64,
) (f report.NamedFigure, ok bool) {
	s := e.samples(l, mode, m)
	if f, ok = e.note(l, mode, m.Name, s); !ok {
		return f, false
	}
	beyond := func(v float64) float64 { return max(v-most, least-v) }
	worst, broken := s.Values[0], 0
	for _, v := range s.Values {
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
		e.decide(report.Contradicted, f)
	case len(s.Values) < stats.LeastPairs:
		e.few = true
		e.decide(report.Inconclusive, f)
	default:
		e.decide(report.Supported, f)
	}
	return f, true
}

// exceptions says in how many rounds a bound was broken, "" for none.
func exceptions(figures []report.NamedFigure) string {
	broken, n := 0, 0
	for _, f := range figures {
		broken, n = broken+*f.Broken, n+f.N
	}
	if broken == 0 {
		return ""
	}
	return fmt.Sprintf(", but not in %d of %d rounds", broken, n)
}

// worst returns the figures with their worst rounds in place of the medians.
func worst(figures []report.NamedFigure) []report.NamedFigure {
	out := slices.Clone(figures)
	for i := range out {
		out[i].Median = *out[i].Worst
	}
	return out
}

func (e *evidence) bound(f report.NamedFigure, least, most float64) {
	e.decide(e.judge(f, least, most), f)
}

// judge returns the verdict of the interval of a figure on a bound.
func (e *evidence) judge(f report.NamedFigure, least, most float64) report.Verdict {
	switch {
	case f.Low == nil:
		e.few = e.few || f.N < stats.LeastPairs
	case *f.Low >= least && *f.High <= most:
		return report.Supported
	case *f.High < least || *f.Low > most:
		return report.Contradicted
	}
	return report.Inconclusive
}

// decide adds a part. The figure of the first part is the claim's effect.
func (e *evidence) decide(v report.Verdict, f report.NamedFigure) {
	group := e.group
	if group == "" {
		group = fmt.Sprint("part ", len(e.parts))
	}
	e.parts = append(e.parts, part{v, group})
	if e.effect == nil {
		e.effect = &f
	}
}

// exceeds decides by the ratio a ÷ b: the part is supported if the whole interval is at least
// least, and contradicted if all of it is below.
func (e *evidence) exceeds(
	l metric.Load, mode report.Mode, name string, a, b metric.Rounds, least float64,
) (f report.NamedFigure, ok bool) {
	if f, ok = e.noteRatio(l, mode, name, metric.Compare(a, b)); ok {
		e.bound(f, least, unbounded())
	}
	return f, ok
}

// span quotes a ratio, followed by its interval if that includes 1.
func span(f report.NamedFigure) string {
	if interval := undecidedEnds(f); interval != "" {
		return fmt.Sprintf("%s (%s)", f.Quantity(), interval)
	}
	return f.Quantity().String()
}

func undecidedEnds(f report.NamedFigure) string {
	if f.Low == nil || *f.Low > 1 || *f.High < 1 {
		return ""
	}
	return ends(report.Of(*f.Low, f.Unit), report.Of(*f.High, f.Unit))
}

// ends writes an interval.
func ends(low, high report.Quantity) string { return low.String() + "–" + high.String() }

// quote quotes a figure that was measured in each mode, only once if both read the same.
func quote(figures []report.NamedFigure) string {
	return quoteBy(figures, func(f report.NamedFigure) string { return f.Quantity().String() })
}

func quoteBy(figures []report.NamedFigure, write func(report.NamedFigure) string) string {
	if len(figures) == 0 {
		return report.Quantity{}.String()
	}
	var out []string
	for _, f := range figures {
		out = append(out, write(f))
	}
	return strings.Join(slices.Compact(out), " and ")
}

// head returns the beginning of a finding's sentence, which states the verdict.
func (e *evidence) head(c Claim, v report.Verdict) string {
	switch {
	case v == report.Supported:
		return c.holds
	case v == report.Contradicted:
		return c.fails
	case e.busy:
		return c.Title + ", undecided on a machine busy with other work"
	case e.has(report.Supported) && e.has(report.Contradicted):
		return c.Title + ", not the same for all work"
	case e.few:
		return c.Title + ", too few rounds to decide"
	case e.partly != "":
		return c.Title + ", undecided, since parts of it were not measured"
	}
	return c.Title + ", undecided"
}
