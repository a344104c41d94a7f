// Package findings decides what a report says of each of the textbook's claims, and which
// mode serves which kind of work. Claim has the rules of all claims in one table.
//
//	claim.go            Claim, its table of rules, the thresholds, the list of claims
//	c01_*.go … c17_*.go how each claim is decided: C5, of crashes, in c05_crash.go
//	evidence.go         what decides a claim: bounds, ratios and rounds joined to a verdict
//	compute.go          Compute: all findings of a report, with their sentences
//	loads.go            the workloads that claims are about
//	preferences.go      Preferences: processes or threads, for each kind of work
//
// The types that a file holds, report.Finding and report.Verdict, belong to report.
package findings
