package reporttest

import (
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/findings"
)

// FullPair returns two reports of default runs on one machine: the same work, with figures that are
// drawn independently.
func FullPair(rounds, cores int) (old, other *report.Report) {
	old, other = Full(2*rounds, cores), Full(2*rounds, cores)
	keep(old, 1, rounds)
	keep(other, rounds+1, 2*rounds)
	return old, other
}

// keep removes all rounds but some from a report, and counts the others from 1.
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

// Change multiplies the operations of one workload, as if each operation had become slower or
// faster, and returns the report.
func Change(r *report.Report, workload string, factor float64) *report.Report {
	for i := range r.Trials {
		if t := &r.Trials[i]; t.Workload == workload {
			t.Operations = int64(factor * float64(t.Operations))
		}
	}
	findings.Compute(r)
	return r
}
