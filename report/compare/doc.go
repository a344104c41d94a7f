// Package compare determines what changed from one report, or several runs of the same work, to
// others:
//
//	comparison.go    Reports compares, and returns a Comparison
//	sides.go         the runs of a side: read, put in order, in turns or not
//	matcher.go       matches figures of both sides by workload, variant and mode
//	metrics.go       the metrics by which reports are compared, and which figures are primary
//	groups.go        control groups of a watch; stacks.go: where its tasks were off their cores
//	basis.go         what a change is compared with, and the tests that decide it
//	change.go        Change: one figure in both reports, and its outcome
//	setup.go         differences between machines, kernels, set-ups and settings
//	versions.go      workloads whose figures have changed their meaning
//	condition.go     Condition: the text of a limit; check.go: whether it is met
package compare
