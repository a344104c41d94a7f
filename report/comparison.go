package report

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"sync"
	"time"
)

// ComparisonVersion is the version of the JSON form of a Comparison.
const ComparisonVersion = 1

// Comparison is what changed from one report to others:
//
//	Compare ─→ Comparison ─┬─ Summarize → Summary    for a reader
//	                       ├─ Table → Table          one row a figure
//	                       └─ Check                  conditions for CI
type Comparison struct {
	// Version is ComparisonVersion when the comparison was made.
	Version int `json:"comparison_version"`
	// Old is what all others are compared with.
	Old Side `json:"old"`
	// Pairs hold each other report beside the old one, in the order given.
	Pairs []Pair `json:"pairs"`
}

// Side is one of the reports.
type Side struct {
	// Name is the file's, or whatever the caller knows the report by.
	Name    string    `json:"name"`
	Created time.Time `json:"created"`
	Kernel  string    `json:"kernel"`
	Trials  int       `json:"trials"`
	// NotClean says why the figures cannot be taken as they stand.
	NotClean []string `json:"not_clean,omitempty"`
	header   []string
}

// Pair is what changed from the old report to one other.
type Pair struct {
	New Side `json:"new"`
	// Differences are between the machines, kernels, hooks and set-ups.
	Differences []Unlike `json:"differences"`
	// Warnings are sentences about how far the two can be compared.
	Warnings []string `json:"warnings,omitempty"`
	// Missing is what only one of the reports has.
	Missing []Missing `json:"missing,omitempty"`
	// Changes hold every figure of whole trials that both reports have, Switches
	// those of each core and class of switch.
	Changes  []Change `json:"changes"`
	Switches []Change `json:"switches,omitempty"`
}

// Unlike is one part of the fingerprint that the reports do not share, ""
// where it was not read or not asked for.
type Unlike struct {
	Name string `json:"name"`
	Old  string `json:"old"`
	New  string `json:"new"`
}

// Missing is a workload in one mode, or one metric of it, that only one report has.
type Missing struct {
	// OnlyIn is "old" or "new".
	OnlyIn   string `json:"only_in"`
	Workload string `json:"workload"`
	Variant  string `json:"variant,omitempty"`
	Mode     Mode   `json:"mode"`
	// Metric is "" where all of the trials are missing.
	Metric string `json:"metric,omitempty"`
}

// Named is a report and what to call it.
type Named struct {
	Name   string
	Report *Report
}

// CompareOptions say how much is computed; the zero value is the least.
type CompareOptions struct {
	// Cores asks for Pair.Switches too.
	Cores bool
}

// ErrNothingInCommon is wrapped by Compare's error for reports of different work.
var ErrNothingInCommon = errors.New("nothing in common")

// Compare compares each report but the first with the first. Trials are
// matched by workload, variant and mode. A trial is one sample, and trials of
// different reports are unpaired.
func Compare(old Named, others []Named, opts CompareOptions) (*Comparison, error) {
	c := &Comparison{Version: ComparisonVersion, Old: old.side(), Pairs: []Pair{}}
	samples := make([]figures, 1+len(others))
	var wait sync.WaitGroup
	for i, n := range append([]Named{old}, others...) {
		wait.Go(func() { samples[i] = newFigures(n.Report) })
	}
	wait.Wait()
	for i, other := range others {
		pair, notes := match(samples[0], samples[1+i], opts)
		if len(pair.Changes) == 0 {
			return nil, fmt.Errorf("compare %s with %s: %w: no workload of both ran in the same mode; compare runs of the same work",
				old.Name, other.Name, ErrNothingInCommon)
		}
		pair.New, pair.Differences = other.side(), unlike(old.Report, other.Report)
		pair.Warnings = append(unknownSettings(old, other), warnings(c.Old, pair, notes)...)
		if old.Report.Created.Equal(other.Report.Created) && old.Report.ID() == other.Report.ID() {
			pair.Warnings = append([]string{"both are one report, under one name or two: nothing can have changed."}, pair.Warnings...)
		}
		c.Pairs = append(c.Pairs, pair)
	}
	return c, nil
}

func (n Named) side() Side {
	_, reasons := n.Report.Quality.Clean()
	h := n.Report.Host.header()[1:] // the first is our name
	return Side{
		Name: n.Name, Created: n.Report.Created, Kernel: n.Report.Host.Kernel, Trials: len(n.Report.Trials),
		NotClean: reasons, header: h,
	}
}

// warnings returns the sentences about a pair of reports.
func warnings(old Side, p Pair, notes map[string]bool) []string {
	var out []string
	var names []string
	for _, d := range p.Differences {
		if d.Name != "workloads" && d.Name != "modes" { // only what both ran is compared
			names = append(names, d.Name)
		}
	}
	if len(names) > 0 {
		out = append(out, fmt.Sprintf("unlike things are compared (%s): a change may come from any of these.", strings.Join(names, ", ")))
	}
	for _, s := range []Side{old, p.New} {
		if len(s.NotClean) > 0 {
			out = append(out, fmt.Sprintf("%s is not clean: %s.", s.Name, strings.Join(s.NotClean, "; ")))
		}
	}
	if slices.ContainsFunc(p.Changes, func(c Change) bool { return c.Mode == Command && c.Old.N == 1 && c.New.N == 1 }) {
		out = append(out, "one run each of a command cannot be tested: the figures are shown, and whether they differ by more than chance is not known.")
		return out
	}
	return append(out, roundNotes(notes)...)
}

func choose(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

// finite is a number that JSON can hold, nil for any other.
func finite(x float64) *float64 {
	if math.IsInf(x, 0) || math.IsNaN(x) {
		return nil
	}
	return &x
}

// Encode writes the comparison as one line of JSON.
func (c *Comparison) Encode(w io.Writer) error {
	if err := writeJSON(w, c); err != nil {
		return fmt.Errorf("encode comparison: %w", err)
	}
	return nil
}
