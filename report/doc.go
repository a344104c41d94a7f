// Package report is the record of a run: what was measured, the file that holds it, and how
// far it can be trusted. It builds on any system and links no eBPF. What the record means is
// computed and shown by package view, which it does not import:
//
//	collector → Trial → Report ─┬─ Encode, ReadFile      JSON with a versioned schema
//	                            └─ ComputeQuality        how far it can be trusted
//
// What was not measured is absent, never zero: a nil pointer in a Report, an
// unknown Quantity elsewhere.
package report
