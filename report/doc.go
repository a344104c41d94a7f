// Package report is the record of a run: what was measured, the file that holds it, and how far it
// can be trusted. It builds on any system and links no eBPF. Other packages interpret the record;
// this package imports none of them:
//
//	collector → Trial → Report ─┬─ metric     figures of a trial, ratios over rounds
//	                            ├─ findings   the textbook's claims, and the better mode for each kind of work
//	                            ├─ explain    what the claims and the words mean
//	                            ├─ compare    what changed between reports
//	                            ├─ table      tidy tables, raw integers
//	                            ├─ profile    stacks as pprof and as folded stacks
//	                            └─ view       what a screen shows; render draws it
//
// Where to look:
//
//	report.go, created.go      Report, Trial, Core, Worker and the rest of the record
//	endedby.go                 why slices end
//	system.go, watch.go        an interval of a running system, and what was asked for
//	host.go, settings.go       the machine, and the settings that influence figures
//	drift.go, properties.go    what changed during the run; host and settings by name
//	file.go, schema.json       Encode, Decode and ReadFile; the format's JSON Schema
//	validate.go                rejects figures that no measurement can produce
//	quality.go, runtime.go     the trust block, and the comparison with the kernel's own counters
//	figures.go                 parallelism, fairness, waits and other figures of one trial
//	finding.go                 how a file stores a finding; package findings computes it
//	quantity.go, format.go     a figure with its unit, and how it is written
//	identity.go                identifiers of reports and machines
//
// Times are int64 nanoseconds, in fields whose names end with NS and whose JSON names end with _ns;
// those that are computed are Quantities. A time.Duration is only what a user asks for.
//
// What was not measured is absent, never zero: a nil pointer in a Report, an unknown
// Quantity elsewhere.
package report
