// Package view is what a screen shows of a report or a comparison: every figure computed and
// given its unit, in the order in which it is shown. Renderers only read it.
//
//	section.go       Section, Row, Cell and the other parts of a Summary
//	summary.go       Summarize: every figure in full
//	overview.go      Overview: what a reader wants to see first
//	page.go          PageOf: a headline and exhibits; chart.go, distribution.go: their plots
//	comparison.go    SummarizeComparison: what changed
//	switches.go      what a switch costs on each core
//	modes.go         processes beside threads, metric by metric
//	slices.go        time slices; tasks.go: the tasks of a command
//	aftermath.go     what memory costs after a switch
//	findings.go      the claims with their marks
//	choice.go        "Processes or threads?"
//	host.go          the machine in a line
//	trust.go         how far the figures can be believed; warnings.go: what settings distort
//	cells.go         medians, ratios and their intervals as cells
//
// An absent figure is an unknown report.Quantity.
package view
