package view

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/findings"
	"github.com/slicetrace/slicetrace/report/internal/words"
	"github.com/slicetrace/slicetrace/report/metric"
)

// manyWorkloads is how many names of workloads fit into a line.
const manyWorkloads = 8

// Summary is a report made ready to read: every figure computed and given its
// unit, in the order in which it is shown. Renderers only read it.
type Summary struct {
	// Alert is the first line when the figures cannot be taken as they stand,
	// "" when they can.
	Alert string
	// Header is the host's fingerprint, most telling part first.
	Header []string
	// Subject says what was measured, how long and when.
	Subject []Part
	// Warnings are sentences about the run as a whole.
	Warnings []string
	Sections []Section
}

// Section is one titled table with what is needed to read it.
type Section struct {
	Title string
	// Caption says in sentences what the figures are.
	Caption string
	Columns []Column
	Groups  []Group
	// Apart says that each group's name stands on a line of its own.
	Apart bool
	// Items are a list that is shown instead of a table.
	Items []Item
	// Notes are sentences that follow the table.
	Notes []string
}

// empty reports whether the section has nothing to show.
func (s Section) empty() bool { return len(s.Groups)+len(s.Items)+len(s.Notes) == 0 }

// Item is one entry of a section's list: a mark, a name and a sentence.
type Item struct {
	Mark, Name, Text string
	// Meaning is the mark in words.
	Meaning string
}

// Column is one column of a section.
type Column struct {
	// Name may have two lines.
	Name string
	// Text columns are aligned to the left, all others to the right.
	Text bool
}

// Group is a run of rows that share a leading name, "" when the section is not
// grouped, and the variant of what is named, "" when there is one form only.
type Group struct {
	Name    string
	Variant string
	Rows    []Row
}

// Row holds a cell for each of the section's columns.
type Row []Cell

// Cell is one entry of a table: a text, a quantity, or several of either. A
// cell with none of them is an absent quantity.
type Cell struct {
	// Text is free text, and may be hostile: a renderer must make it safe.
	Text string
	// Value is the figure, and Spread how far its 95 % confidence interval
	// reaches, in percent of it; absent where it is not known.
	Value  report.Quantity
	Spread report.Quantity
	// Low and High are that interval's ends, in place of Spread.
	Low, High report.Quantity
	// Parts is a list of labelled figures, shown instead of Text and Value.
	Parts []Part
}

// Part is a label, a figure or a labelled figure; a Value without a unit is not there.
type Part struct {
	Label string
	Value report.Quantity
}

func textCell(s string) Cell { return Cell{Text: s} }

func valueCell(q report.Quantity) Cell { return Cell{Value: q} }

func textColumn(name string) Column { return Column{Name: name, Text: true} }

func columns(names ...string) []Column {
	out := make([]Column, len(names))
	for i, n := range names {
		out[i].Name = n
	}
	return out
}

// Summarize computes every section of a report, with the figures of each workload
// in full.
func Summarize(r *report.Report) *Summary {
	sections := []Section{switchSection(r, false), sliceSection(r)}
	for _, load := range metric.Loads(r) {
		if load.IsCommand() {
			sections = append(sections, taskSection(r, load))
		}
	}
	sections = append(sections, modeSection(r), findingSection(r, false), choiceSection(r), trustSection(r))
	return summaryOf(r, sections)
}

// summaryOf heads the sections, without those that are empty.
func summaryOf(r *report.Report, sections []Section) *Summary {
	s := &Summary{Header: header(r.Host), Subject: subject(r), Warnings: slices.Concat(r.Warnings, settingWarnings(r))}
	if clean, reasons := r.Clean(); !clean {
		s.Alert = "Not clean: " + strings.Join(reasons, "; ") + ". See Trust."
	}
	if share := metric.OthersShare(r, nil); len(metric.BundledModes(r)) > 0 && share > findings.BusyShare {
		s.Warnings = append(s.Warnings, fmt.Sprintf("other tasks took %s of core time: measure again on a quiet machine", report.Of(100*share, report.Share)))
	}
	for _, section := range sections {
		if !section.empty() {
			s.Sections = append(s.Sections, section)
		}
	}
	return s
}

// subject tells what was measured.
func subject(r *report.Report) []Part {
	var out []Part
	if len(r.Setup.Command) > 0 {
		out = append(out, Part{Label: words.Short(r.Setup.CommandLine())})
		if len(r.Trials) == 1 {
			out = append(out, Part{Label: "ran", Value: report.Of(float64(r.Trials[0].DurationNS), report.Nanoseconds)})
		}
	} else if len(r.Setup.Workloads) > 0 {
		label := strings.Join(r.Setup.Workloads, ", ")
		if n := len(r.Setup.Workloads); n > manyWorkloads {
			label = words.Plural(n, "workload") // the tables name them
		}
		out = append(out, Part{Label: label})
	}
	if r.Setup.Rounds > 1 {
		out = append(out, Part{Label: words.Plural(r.Setup.Rounds, "round")})
	}
	if r.Setup.DurationNS > 0 {
		out = append(out, Part{Label: "trials of", Value: report.Of(float64(r.Setup.DurationNS), report.Nanoseconds)})
	}
	if r.Setup.Operations > 0 {
		out = append(out, Part{Label: "operations a worker", Value: ofCount(r.Setup.Operations)})
	}
	if r.Setup.Workers > 0 {
		out = append(out, Part{Label: words.Plural(r.Setup.Workers, "worker")})
	}
	if !r.Created.IsZero() {
		out = append(out, Part{Label: r.Created.UTC().Format(time.DateTime) + " UTC"})
	}
	return out
}
