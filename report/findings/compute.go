package findings

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

// lacks says which trials of these workloads failed, or of all workloads if none are given; "" if
// none did.
func lacks(r *report.Report, workloads []string) string {
	var all []string
	for _, f := range r.Failed {
		if len(workloads) > 0 && !slices.Contains(workloads, f.Workload) {
			continue
		}
		since := ""
		if f.LeftOut {
			since = " and later"
		}
		all = append(all, fmt.Sprintf("%s in %s failed in round %d%s", f.Title(), f.Mode, f.Round, since))
	}
	return strings.Join(all, ", ")
}

// Compute decides every claim from the trials, in the order of Claims. A report of a command has no
// findings, since the claims are about bundled workloads.
func Compute(r *report.Report) {
	r.Findings = nil
	if len(metric.BundledModes(r)) == 0 {
		return
	}
	for _, c := range Claims() {
		r.Findings = append(r.Findings, find(r, c))
	}
}

func find(r *report.Report, c Claim) report.Finding {
	f := report.Finding{Claim: c.ID, Verdict: report.NotMeasured}
	e := evidence{report: r}
	if c.family {
		e.group = c.ID
	}
	facts := c.decide(&e)
	if len(e.parts) == 0 {
		f.Reason = reasonFor(r, c, cmp.Or(e.missing, e.partly))
		f.Sentence = c.Title + ": " + f.Reason + "."
		return f
	}
	f.Verdict = e.verdict()
	doubted := f.Verdict == report.Contradicted || f.Verdict == report.Supported && c.absolute
	if doubted && metric.OthersShare(r, c.Workloads) > BusyShare {
		f.Verdict, e.busy = report.Inconclusive, true
	}
	f.Figures, f.Effect = e.figures, e.effect
	f.Sentence = e.head(c, f.Verdict) + ": " + facts
	if e.partly != "" && f.Verdict != report.Contradicted {
		f.Sentence += "; " + e.partly
	}
	if lack := lacks(r, c.Workloads); lack != "" {
		f.Sentence += "; " + lack
	}
	f.Sentence += "."
	return f
}

// reasonFor says why the claim was not measured and what would measure it.
func reasonFor(r *report.Report, c Claim, missing string) string {
	switch lack := lacks(r, c.Workloads); {
	case lack != "":
		return lack + ": see the notes"
	case missing != "":
		return missing
	case c.bothModes && len(metric.BundledModes(r)) < 2:
		return "needs both modes: leave out --mode"
	}
	return "needs slicetrace run " + strings.Join(c.Workloads, " ")
}
