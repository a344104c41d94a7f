// Package report is the record of a run and its meaning. It imports no other
// package of slicetrace and builds on any system:
//
//	collector → Trial → Report ─┬─ Encode, ReadFile      JSON with a versioned schema
//	                            ├─ ComputeQuality        how far it can be trusted
//	                            ├─ Summarize → Summary   what a reader wants first
//	                            ├─ Table → Table         tidy tables, raw integers
//	                            └─ Compare → Comparison  what changed between reports
//
// What was not measured is absent, never zero: a nil pointer in a Report, an
// unknown Quantity in a Summary, an empty Field in a Table.
package report
