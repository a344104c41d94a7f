// Package view is what is shown of a report or a comparison: every figure computed, with its unit,
// in the order in which it is shown. Renderers only read it.
//
//	section.go       Section, Row, Cell and the other parts of a Summary
//	summary.go       Summarize: every figure in full
//	overview.go      Overview: the most important figures
//	firstscreen.go   FirstScreen: what to know first; answer.go, answernotes.go: its table and sentences
//	prices.go        what threads could save at most
//	detail.go        which of these three is shown
//	page.go          PageOf: a headline and exhibits; chart.go, distribution.go: their plots
//	comparison.go    SummarizeComparison: what changed
//	switches.go      the cost of a switch on each core, as a table and as a chart
//	modes.go         processes beside threads, metric by metric
//	slices.go        time slices; tasks.go: the tasks of a command
//	stacks.go        where tasks were off their cores; flame.go: as flame graphs
//	watch.go         a watched system: watchcores.go, watchtasks.go, watchtrust.go: its sections;
//	                 remarkable.go: what stands out
//	cacherefill.go   how much longer memory accesses take after a switch
//	findings.go      the claims with their verdicts
//	choice.go        "Processes or threads?"
//	host.go          the machine in a line
//	trust.go         how far the figures can be trusted
//	warnings.go      settings that distort figures or changed during the run
//	cells.go         medians, ratios and their intervals as cells
//
// An absent figure is an unknown report.Quantity.
package view
