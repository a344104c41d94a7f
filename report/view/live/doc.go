// Package live is what a screen shows of a running system: every figure computed, with its unit, from
// one interval at a time. Whoever draws it does no arithmetic.
//
//	model.go        Model: keeps the newest interval and what is needed of the last Kept ones
//	interval.go     one interval: its cores, groups of tasks, and the points of its history
//	headline.go     the machine in a line, with the cost of watching it and what was lost
//	table.go        Table: rows that are only computed when they are drawn; sorting
//	cores.go        the table of cores: all, caches or nodes, and each core
//	rows.go         tasks, and their sums by process, program and group
//	columns.go      the columns of tasks and of their sums
//	detail.go       one task or sum: its distributions, and history.go: its last intervals
//	why.go          why it was off its cores: at which stacks, and because of whom
//
// An absent figure is an unknown report.Quantity, and its column says why it can be absent.
package live
