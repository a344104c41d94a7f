package view

import "github.com/slicetrace/slicetrace/report"

// Detail is how much of a report is shown.
type Detail int

// The levels of detail.
const (
	Brief Detail = iota // the first screen
	Long                // every part of the report, with its most important figures
	Full                // every figure of every workload
)

// Of computes as much of a report as is asked for.
func (d Detail) Of(r *report.Report) *Summary {
	switch {
	case d <= Brief:
		return FirstScreen(r)
	case d == Long:
		return Overview(r)
	}
	return Summarize(r)
}
