// Package table makes tidy tables of a report or a comparison: one row per observation, integers in
// the unit that the column's name ends with. Columns are added at the end, never renamed or moved.
//
//	table.go         Table; Of returns a report's table by name
//	field.go         Field: a number, a text or nothing, and how it is written
//	columns.go       Column and its Kind; schema.go: a table's columns as a Table Schema
//	identity.go      columns that identify the report, for rows of several reports
//	numbered.go      the first and last columns of all tables of trials
//	trials.go        trials, cores, slices, workers
//	cores.go         core_times, figures, histograms
//	system.go        groups, processes, tasks
//	stacks.go        stacks
//	run.go           runs
//	quality.go       quality, host
//	findings.go      findings
//	comparison.go    the figures of a comparison
//
// An absent figure is an empty field.
package table
