// Package metric computes figures from the trials of a report, for all other packages:
//
//	metric.go       Metric and all metrics that have a name: throughput, cost of a switch p50, …
//	command.go      the metrics that only a command has
//	own.go          the switches that a trial's own mode makes, and its slices
//	quantile.go     how many values a quantile needs
//	cacherefill.go  how much longer memory accesses take after a switch
//	load.go         a workload in one variant (Load), and its trials in a report
//	rounds.go       a metric round by round (Rounds), with its median
//	difference.go   two metrics of the same rounds compared (Difference)
//	prices.go       what processes cost more than threads: Excess, CoreShare, FurtherMemory
//	others.go       the share of the cores that other programs had
//	system.go       the metrics that only a watched system has
//	cores.go        cores of a watched system over intervals (CoreSum), and the cost of their switches
//	tasks.go        tasks, processes and groups of a watched system over intervals (Gather)
//
// A trial is one sample, since its switches are not independent of each other. A figure that was
// not measured is an unknown report.Quantity.
package metric
