package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Verdict is what the measured figures say of a claim.
type Verdict string

// The verdicts.
const (
	Supported    Verdict = "supported"
	Contradicted Verdict = "contradicted"
	Inconclusive Verdict = "inconclusive"
	NotMeasured  Verdict = "not measured"
)

// Verdicts returns all verdicts.
func Verdicts() []Verdict { return []Verdict{Supported, Contradicted, Inconclusive, NotMeasured} }

// Finding is what a report says of one claim.
type Finding struct {
	// Claim is the claim's name, C1 to C17.
	Claim   string  `json:"claim"`
	Verdict Verdict `json:"verdict"`
	// Reason says why the claim was not measured and what to do, "" when it was.
	Reason string `json:"reason,omitempty"`
	// Figures are those that the verdict rests on.
	Figures []NamedFigure `json:"figures,omitempty"`
	// Effect is the figure that says how much, nil when the claim was not measured.
	Effect *NamedFigure `json:"effect,omitempty"`
	// Sentence tells a reader the verdict and its figures.
	Sentence string `json:"sentence"`
}

// NamedFigure is the median of a metric over rounds.
type NamedFigure struct {
	Name string `json:"name"`
	// Workload, Variant and Mode say where it was measured; Mode is "" when
	// modes are compared.
	Workload string `json:"workload"`
	Variant  string `json:"variant,omitempty"`
	Mode     Mode   `json:"mode,omitempty"`
	// Unit is that of Median, Low and High, the 95 % confidence interval. Low
	// and High are nil where the rounds are too few for one.
	Unit   Unit     `json:"unit"`
	Median float64  `json:"median"`
	Low    *float64 `json:"low,omitempty"`
	High   *float64 `json:"high,omitempty"`
	// P is the Mann-Whitney test's probability that two samples which differ
	// so much are alike; nil where nothing was compared.
	P *float64 `json:"p,omitempty"`
	// N is the number of rounds.
	N int `json:"n"`
}

// Quantity returns the median with its unit.
func (f NamedFigure) Quantity() Quantity { return Of(f.Median, f.Unit) }

// ComputeFindings decides every claim from the trials, in the claims' order.
// A report of a command has no findings: the claims are about bundled workloads.
func (r *Report) ComputeFindings() {
	r.Findings = nil
	if len(r.bundledModes()) == 0 {
		return
	}
	for _, c := range Claims() {
		r.Findings = append(r.Findings, r.find(c))
	}
}

func (r *Report) find(c Claim) Finding {
	f := Finding{Claim: c.ID, Verdict: NotMeasured}
	e := evidence{report: r}
	var facts string
	if c.decide != nil {
		facts = c.decide(&e)
	}
	if len(e.parts) == 0 {
		f.Reason = r.reasonFor(c, e.missing)
		f.Sentence = c.Title + ": " + f.Reason + "."
		return f
	}
	f.Verdict = e.verdict(c.family)
	f.Figures, f.Effect = e.figures, e.effect
	f.Sentence = e.head(c, f.Verdict) + ": " + facts + "."
	return f
}

// head begins a finding's sentence with the verdict.
func (e *evidence) head(c Claim, v Verdict) string {
	switch {
	case v == Supported:
		return c.holds
	case v == Contradicted:
		return c.fails
	case slices.Contains(e.parts, Supported) && slices.Contains(e.parts, Contradicted):
		return c.Title + ", not alike for all work"
	case e.few:
		return c.Title + ", too few rounds to decide"
	}
	return c.Title + ", undecided"
}

// reasonFor says why nothing was measured and what would.
func (r *Report) reasonFor(c Claim, missing string) string {
	switch {
	case c.decide == nil:
		return fmt.Sprintf("needs workload %s, which this slicetrace does not have", strings.Join(c.Workloads, ", "))
	case missing != "":
		return missing
	case c.bothModes && len(r.bundledModes()) < 2:
		return "needs both modes: leave out --mode"
	}
	return "run it: slicetrace run " + strings.Join(c.Workloads, " ")
}

// bundledModes returns the modes in which bundled workloads ran.
func (r *Report) bundledModes() []Mode {
	var out []Mode
	for _, m := range []Mode{Processes, Threads} {
		if slices.ContainsFunc(r.Trials, func(t Trial) bool { return t.Mode == m }) {
			out = append(out, m)
		}
	}
	return out
}

// evidence collects what decides one claim.
type evidence struct {
	report  *Report
	figures []NamedFigure
	parts   []Verdict
	effect  *NamedFigure
	// few says that a part was undecided for want of rounds.
	few bool
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

// mark shows a verdict in one character.
func (v Verdict) mark() string {
	switch v {
	case Supported:
		return "✓"
	case Contradicted:
		return "✗"
	case Inconclusive:
		return "?"
	}
	return "–"
}

// findingSection lists what was found of each claim. A brief one leaves out the
// claims that were not measured, but names them.
func (r *Report) findingSection(brief bool) Section {
	s := Section{
		Title:   "Findings",
		Caption: "What this machine says of the textbook's claims: ✓ supported, ✗ contradicted, ? inconclusive, – not measured. Of two figures, processes' come first.",
	}
	if brief {
		s.Caption = "What this machine says of the textbook's claims: ✓ supported, ✗ contradicted, ? inconclusive. Of two figures, processes' come first."
	}
	var unmeasured []string
	for _, f := range r.Findings {
		if brief && f.Verdict == NotMeasured {
			unmeasured = append(unmeasured, f.Claim)
			continue
		}
		s.Items = append(s.Items, Item{Mark: f.Verdict.mark(), Name: f.Claim, Text: f.Sentence})
	}
	if len(unmeasured) > 0 {
		s.Notes = []string{"Not measured: " + strings.Join(unmeasured, ", ") + ". With --verbose, slicetrace report says why."}
	}
	return s
}
