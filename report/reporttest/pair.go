package reporttest

import (
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/findings"
)

// FullPair returns two reports of default runs on one machine, of some rounds
// each: like work under two names, whose figures are drawn independently.
func FullPair(rounds, cores int) (old, other *report.Report) {
	old, other = Full(2*rounds, cores), Full(2*rounds, cores)
	keep(old, 1, rounds)
	keep(other, rounds+1, 2*rounds)
	return old, other
}

// keep leaves only some rounds in a report, and counts them from 1.
func keep(r *report.Report, first, last int) {
	var kept []report.Trial
	for _, t := range r.Trials {
		if t.Round >= first && t.Round <= last {
			t.Round -= first - 1
			kept = append(kept, t)
		}
	}
	r.Trials, r.Setup.Rounds = kept, last-first+1
	r.ComputeQuality()
	findings.Compute(r)
}

// Change returns the report with the operations of one workload multiplied,
// as if each had become slower or faster.
func Change(r *report.Report, workload string, factor float64) *report.Report {
	for i := range r.Trials {
		if t := &r.Trials[i]; t.Workload == workload {
			t.Operations = int64(factor * float64(t.Operations))
		}
	}
	findings.Compute(r)
	return r
}
