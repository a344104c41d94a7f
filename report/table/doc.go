// Package table makes of a report, or of a comparison, tidy tables: one row an observation,
// integers in the unit that the column's name ends with. Columns are added at the end, never
// renamed or moved.
//
//	table.go         Table and its fields; Of returns a report's table by name
//	columns.go       Column and its Kind; schema.go: a table's columns as a Table Schema
//	identity.go      columns that tell the rows of several reports apart
//	numbered.go      what all tables of trials begin and end with
//	trials.go        trials, cores, slices, workers
//	cores.go         core_times, figures, histograms
//	run.go           runs
//	quality.go       quality, host
//	findings.go      findings
//	comparison.go    the figures of a comparison
//
// An absent figure is an empty field.
package table
