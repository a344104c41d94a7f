package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/findings"
	"github.com/slicetrace/slicetrace/report/internal/words"
	"github.com/slicetrace/slicetrace/report/metric"
)

// rates are the switches a second for which the first screen says what processes cost.
func rates() []float64 { return []float64{1_000, 10_000, 50_000} }

// extra says what processes cost more than threads, at some rates of switches.
func (t *answer) extra() string {
	if !t.both {
		return fmt.Sprintf("Only %s ran: leave out --mode to compare.", t.modes[0])
	}
	more, ok := t.excess(t.hot())
	if !ok {
		return ""
	}
	interval := ""
	if more.Bounded() {
		interval = fmt.Sprintf("%s to %s", nanosecondsOf(more.Low), nanosecondsOf(more.High))
	}
	switch {
	case more.Bounded() && !more.Measurable():
		return fmt.Sprintf("The rounds show no difference between a switch of processes and one of threads%s: "+
			"at most %s.", brackets(interval), sharesOfCore(max(0, more.High)))
	case more.Center <= 0:
		return fmt.Sprintf("A switch of processes costs %s less than one of threads%s: no rate of switches makes "+
			"processes cost more.", nanosecondsOf(-more.Center), brackets(interval))
	}
	late := ""
	if o, ok := t.excess(afterSlices(t.report)); ok && (o.Measurable() || !o.Bounded()) {
		late = fmt.Sprintf("after a slice %s", nanosecondsOf(o.Center))
	}
	return fmt.Sprintf("A switch of processes costs %s more than one of threads%s: %s.",
		nanosecondsOf(more.Center), brackets(interval, late), sharesOfCore(more.Center))
}

// brackets puts texts in brackets, as far as there are any.
func brackets(texts ...string) string {
	texts = slices.DeleteFunc(texts, func(s string) bool { return s == "" })
	if len(texts) == 0 {
		return ""
	}
	return " (" + strings.Join(texts, "; ") + ")"
}

// excess is by how much a switch of processes costs more than one of threads.
func (t *answer) excess(l metric.Load) (metric.Excess, bool) {
	m, _ := metric.SwitchCost(t.report, l)
	return metric.ExcessOf(t.samples(l, report.Processes, m), t.samples(l, report.Threads, m))
}

// sharesOfCore says what part of a core something takes at each of the rates.
func sharesOfCore(ns float64) string {
	var said []string
	for i, rate := range rates() {
		text := fmt.Sprintf("%s at %s", percentOf(metric.CoreShare(ns, rate)), ofCount(int(rate)))
		if i == 0 {
			text = fmt.Sprintf("%s of a core at %s switches a second", percentOf(metric.CoreShare(ns, rate)),
				ofCount(int(rate)))
		}
		said = append(said, text)
	}
	return strings.Join(said, ", ")
}

func nanosecondsOf(ns float64) report.Quantity { return report.Of(ns, report.Nanoseconds) }

// percentOf writes a percentage with three digits, since small ones matter here.
func percentOf(p float64) string { return report.Of(p, report.Ratio).String() + " %" }

// claimsNamed is how many claims of one verdict are named.
const claimsNamed = 2

// claims says how many claims hold, and which of those that were measured do not.
func (t *answer) claims() string {
	titles := map[string]string{}
	for _, c := range findings.Claims() {
		titles[c.ID] = c.ID + " " + c.Title
	}
	by := map[report.Verdict][]string{}
	for _, f := range t.report.Findings {
		name := titles[f.Claim]
		if name == "" {
			name = shortened(f.Claim, briefLine/2) // of another version
		}
		by[f.Verdict] = append(by[f.Verdict], name)
	}
	hold, none := len(by[report.Supported]), len(by[report.NotMeasured])
	measured := len(t.report.Findings) - none
	if measured == 0 {
		return ""
	}
	text := fmt.Sprintf("Of the textbook's %s measured here, ", words.Plural(measured, "claim"))
	switch hold {
	case measured:
		text += words.Choose(hold == 1, "it holds", "all hold")
	case 0:
		text += words.Choose(len(by[report.Contradicted]) > 0, "none holds", "none is decided")
	default:
		text += fmt.Sprintf("%d %s", hold, words.Choose(hold == 1, "holds", "hold"))
	}
	for _, other := range []struct {
		verdict report.Verdict
		name    string
	}{{report.Contradicted, "contradicted"}, {report.Inconclusive, "undecided"}} {
		if list := by[other.verdict]; len(list) > 0 {
			text += fmt.Sprintf("; %s: %s", other.name, words.List(list, claimsNamed))
		}
	}
	if none > 0 {
		text += fmt.Sprintf("; %d not measured", none)
	}
	return text + ". All figures: -v."
}

// missing says which figures are absent, and how to get them.
func (t *answer) missing() string {
	var said []string
	if len(t.lacks) > 0 {
		said = append(said, fmt.Sprintf("Not measured: %s (slicetrace run %s).",
			strings.Join(t.lacks, ", "), strings.Join(t.needs, " ")))
	}
	if len(t.absent) > 0 {
		said = append(said, fmt.Sprintf("No figures: %s.", strings.Join(t.absent, ", ")))
	}
	return strings.Join(said, " ")
}
