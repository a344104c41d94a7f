// Package findings draws conclusions from a report: about each of the textbook's claims, and which
// mode is better for which kind of work. Claim has the rules of all claims in one table.
//
//	claim.go            Claim, its table of rules, the thresholds, the list of claims
//	c01_*.go … c17_*.go how each claim is decided, for example C5 (crashes) in c05_crash.go
//	evidence.go         how bounds, ratios and rounds lead to a verdict
//	compute.go          Compute: all findings of a report, with their sentences
//	loads.go            the workloads that claims are about
//	preferences.go      Preferences: processes or threads, for each kind of work
//
// The types that a report file contains, report.Finding and report.Verdict, belong to report.
package findings
