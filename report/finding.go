package report

import (
	"cmp"
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

// NamedFigure is the median of a metric over rounds, or the ratio of two.
type NamedFigure struct {
	Name string `json:"name"`
	// Workload, Variant and Mode say where it was measured; Mode is "" when
	// modes are compared.
	Workload string `json:"workload"`
	Variant  string `json:"variant,omitempty"`
	Mode     Mode   `json:"mode,omitempty"`
	// Unit is that of Median, Low and High, the 95 % confidence interval. Low
	// and High are nil where the rounds are too few for one. Of a ratio, Median is the
	// Hodges-Lehmann estimate over the rounds that have both figures.
	Unit   Unit     `json:"unit"`
	Median float64  `json:"median"`
	Low    *float64 `json:"low,omitempty"`
	High   *float64 `json:"high,omitempty"`
	// P is the signed-rank test's probability that two figures of the same rounds which
	// differ so much are alike; nil where nothing was compared.
	P *float64 `json:"p,omitempty"`
	// N is the number of rounds.
	N int `json:"n"`
	// Worst is the figure of the round that keeps a bound least, and Broken the number
	// of rounds that break it, where each round is asked; nil where the median is.
	Worst  *float64 `json:"worst,omitempty"`
	Broken *int     `json:"broken,omitempty"`
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
	if c.family {
		e.group = c.ID
	}
	facts := c.decide(&e)
	if len(e.parts) == 0 {
		f.Reason = r.reasonFor(c, cmp.Or(e.missing, e.partly))
		f.Sentence = c.Title + ": " + f.Reason + "."
		return f
	}
	f.Verdict = e.verdict()
	doubted := f.Verdict == Contradicted || f.Verdict == Supported && c.absolute
	if doubted && r.othersShare(c.Workloads) > busyShare {
		f.Verdict, e.busy = Inconclusive, true
	}
	f.Figures, f.Effect = e.figures, e.effect
	f.Sentence = e.head(c, f.Verdict) + ": " + facts
	if e.partly != "" && f.Verdict != Contradicted {
		f.Sentence += "; " + e.partly
	}
	if lack := r.lacks(c.Workloads); lack != "" {
		f.Sentence += "; " + lack
	}
	f.Sentence += "."
	return f
}

// othersShare is the part, 0 to 1, of core time that tasks of others took in the
// trials of some workloads, of any for none: neither workers, nor what else is the
// tool's own as far as the report tells. A core counts for as much as workers had of it,
// so that one CPU hog on the only core that is used is not lost among idle cores.
func (r *Report) othersShare(workloads []string) float64 {
	var onUsed, used, others, wall float64
	for i := range r.Trials {
		t := &r.Trials[i]
		if len(workloads) > 0 && !slices.Contains(workloads, t.Workload) {
			continue
		}
		var seen, theirs float64
		for _, c := range t.Cores {
			seen += float64(c.OthersNS)
		}
		if theirs = seen; t.ToolNS != nil {
			theirs = max(0, seen-float64(*t.ToolNS))
		}
		for _, c := range t.Cores {
			if c.WallNS <= 0 || seen == 0 {
				continue
			}
			onUsed += float64(c.WorkersNS) * float64(c.OthersNS) / float64(c.WallNS) * theirs / seen
		}
		for _, c := range t.Cores {
			used += float64(c.WorkersNS)
			wall += float64(c.WallNS)
		}
		others += theirs
	}
	switch {
	case used > 0:
		return onUsed / used
	case wall > 0:
		return others / wall
	}
	return 0
}

// reasonFor says why nothing was measured and what would.
func (r *Report) reasonFor(c Claim, missing string) string {
	switch lack := r.lacks(c.Workloads); {
	case lack != "":
		return lack + ": see the notes"
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
		Caption: "✓ supported, ✗ contradicted, ? inconclusive on this machine, – not measured. Of two figures, processes' come first.",
	}
	if brief {
		s.Caption = "✓ supported, ✗ contradicted, ? inconclusive on this machine. Of two figures, processes' come first."
	}
	var unmeasured []string
	for _, f := range r.Findings {
		if brief && f.Verdict == NotMeasured {
			unmeasured = append(unmeasured, f.Claim)
			continue
		}
		s.Items = append(s.Items, Item{Mark: f.Verdict.mark(), Name: f.Claim, Text: f.Sentence, Meaning: string(f.Verdict)})
	}
	if len(unmeasured) > 0 {
		s.Notes = []string{"Not measured: " + strings.Join(unmeasured, ", ") + ". With --verbose, slicetrace report says why."}
	}
	return s
}
