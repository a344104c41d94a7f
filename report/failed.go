package report

import (
	"fmt"
	"strings"
)

// FailedTrial is a trial that produced no figures.
type FailedTrial struct {
	Workload string `json:"workload"`
	Variant  string `json:"variant,omitempty"`
	Mode     Mode   `json:"mode"`
	Round    int    `json:"round"`
	// Cause says what went wrong and what to do about it.
	Cause string `json:"cause"`
	// LeftOut is true if the later rounds were run without this variant in this mode.
	LeftOut bool `json:"left_out,omitempty"`
}

// Title returns the workload with its variant.
func (f FailedTrial) Title() string { return WorkloadTitle(f.Workload, f.Variant) }

// WorkloadTitle names a workload and its variant, such as "spin one core". The variant is "" if the
// workload has only one.
func WorkloadTitle(workload, variant string) string {
	return strings.TrimSpace(workload + " " + variant)
}

// Sentence says that the trial failed, and why.
func (f FailedTrial) Sentence() string {
	out := ""
	if f.LeftOut {
		out = " and is left out of the later rounds"
	}
	return fmt.Sprintf("%s in %s, round %d, failed%s: %s", f.Title(), f.Mode, f.Round, out, f.Cause)
}
