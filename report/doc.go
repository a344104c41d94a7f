// Package report is the record of a run: what was measured, the file that holds it, and how
// far it can be trusted. It builds on any system and links no eBPF. What the record means is
// the subject of other packages, of which it imports none:
//
//	collector → Trial → Report ─┬─ metric     figures of a trial, ratios over rounds
//	                            ├─ findings   the textbook's claims, and which mode serves what
//	                            ├─ compare    what changed between reports
//	                            ├─ table      tidy tables, raw integers
//	                            └─ view       what a screen shows; render draws it
//
// Where to look:
//
//	report.go, created.go      Report, Trial, Core, Worker and the rest of the record
//	host.go, settings.go       the machine, and what else moves figures; drift.go: what changed
//	                           during the run; properties.go: each by its name
//	file.go, schema.json       Encode, Decode and ReadFile; the format's JSON Schema
//	validate.go                what no measurement could have made
//	quality.go, runtime.go     the trust block, and the account held against the kernel's
//	figures.go                 parallelism, fairness, waits and other figures of one trial
//	finding.go                 what the file holds of a claim; findings decides it
//	quantity.go, format.go     a figure with its unit, and how it is written
//	identity.go                the names of reports and machines
//
// What was not measured is absent, never zero: a nil pointer in a Report, an unknown
// Quantity elsewhere.
package report
