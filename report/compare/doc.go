// Package compare tells what changed from one report, or several of like runs, to others:
//
//	comparison.go    Reports compares, and returns a Comparison
//	sides.go         the runs of a side: read, put in order, in turns or not
//	matcher.go       figures of both sides brought together by workload, variant and mode
//	metrics.go       what reports are compared by, and which figures are primary
//	basis.go         what a change is held against, and the tests that decide it
//	change.go        Change: one figure in both reports, and its outcome
//	setup.go         what differs between machines, kernels, set-ups and settings
//	versions.go      workloads whose figures changed their meaning
//	condition.go     Condition: the text of a limit; check.go: whether it is met
package compare
