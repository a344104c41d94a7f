// Package metric is what is computed from the trials of a report, whoever asks:
//
//	metric.go       Metric and each one that has a name: throughput, cost of a switch p50, …
//	own.go          the switches that a trial's own mode makes, and its slices
//	quantile.go     which quantiles enough values allow
//	cacherefill.go  what memory costs after a switch
//	load.go         a workload in one form (Load), and the trials that a report has of it
//	rounds.go       a metric round by round (Rounds), with its median
//	difference.go   two metrics of the same rounds told apart (Difference)
//	others.go       how much of the cores other programs had
//
// A trial is one sample, since its switches are not independent of each other. A figure that
// was not measured is an unknown report.Quantity.
package metric
