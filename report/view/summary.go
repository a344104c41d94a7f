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

// manyWorkloads is the greatest number of workloads whose names are listed in the subject line.
const manyWorkloads = 8

// Summary is a report prepared for a reader: every figure computed, with its unit, in the order in
// which it is shown. Renderers only read it.
type Summary struct {
	// Alert is the first line if the figures cannot be used as they are, otherwise "".
	Alert string
	// Header has the machine's properties, the most important one first.
	Header []string
	// Subject says what was measured, how long and when.
	Subject []Part
	// Warnings are sentences about the run as a whole.
	Warnings []string
	Sections []Section
}

// Summarize computes every section of a report, with all figures of each workload.
func Summarize(r *report.Report) *Summary {
	if isWatch(r) {
		w := newWatch(r, true)
		return summaryOf(r, w.subject(), w.sections())
	}
	sections := []Section{newSwitchTable(r, false).section(), sliceSection(r)}
	for _, load := range metric.Loads(r) {
		if load.IsCommand() {
			sections = append(sections, taskSection(r, load))
		}
	}
	whole := modeSection(r)
	if byRounds(r) {
		whole = commandSection(r)
	}
	pairs := newPairs(r, true)
	sections = append(sections, stackSection(r, true), pairs.takenSection(), pairs.wokenSection(), whole,
		findingSection(r, false), choiceSection(r), trustSection(r))
	return summaryOf(r, subject(r), sections)
}

// summaryOf makes a summary of the sections that are not empty.
func summaryOf(r *report.Report, subject []Part, sections []Section) *Summary {
	s := &Summary{Header: header(r.Host), Subject: subject, Warnings: slices.Clone(r.Warnings)}
	if !r.Created.IsZero() {
		s.Subject = append(s.Subject, Part{Label: r.Created.UTC().Format(time.DateTime) + " UTC"})
	}
	if clean, reasons := r.Clean(); !clean {
		s.Alert = "Not clean: " + strings.Join(reasons, "; ") + ". See Trust."
	}
	if share := metric.OthersShare(r, nil); len(metric.BundledModes(r)) > 0 && share > findings.BusyShare {
		s.Warnings = append(s.Warnings, fmt.Sprintf(
			"other programs took %s of core time: measure again on a quiet machine",
			report.Of(100*share, report.Share)))
	}
	s.Warnings = append(s.Warnings, settingWarnings(r)...)
	for _, section := range sections {
		if !section.empty() {
			s.Sections = append(s.Sections, section)
		}
	}
	return s
}

// subject says what was measured, but not when.
func subject(r *report.Report) []Part {
	var out []Part
	if r.Setup.RunsCommands() {
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
	if len(r.Untraced) > 0 {
		out = append(out, Part{Label: fmt.Sprintf("%s traced, %d untraced",
			words.Plural(len(r.Trials), "run"), len(r.Untraced))})
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
	return out
}
