package compare

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/internal/asciijson"
	"github.com/slicetrace/slicetrace/report/metric"
)

// Version is the version of the JSON form of a Comparison.
const Version = 2

// Comparison is what changed from one report to others:
//
//	Reports ─→ Comparison ─┬─ Check                      conditions for CI
//	                       ├─ view.SummarizeComparison   for a reader
//	                       └─ table.Comparison           one row a figure
type Comparison struct {
	// Version is ComparisonVersion when the comparison was made.
	Version int `json:"comparison_version"`
	// Old is what all others are compared with.
	Old Side `json:"old"`
	// Pairs hold each other report beside the old one, in the order given.
	Pairs []Pair `json:"pairs"`
	// Checked is what Check found.
	Checked []Checked `json:"conditions,omitempty"`
}

// Side is a report, or several of like runs.
type Side struct {
	// Name is the file's, or whatever the caller knows the report by; of several runs
	// the first one's, and how many more there are.
	Name string `json:"name"`
	// Runs name all of them in the order in which they began.
	Runs []string `json:"runs"`
	// Created is when the first began.
	Created time.Time `json:"created"`
	Kernel  string    `json:"kernel"`
	// Trials is of all runs together.
	Trials int `json:"trials"`
	// NotClean says why the figures cannot be taken as they stand.
	NotClean []string `json:"not_clean,omitempty"`
	// Host is the machine of the first run.
	Host report.Host `json:"-"`
}

// Pair is what changed from the old report to one other.
type Pair struct {
	New Side `json:"new"`
	// Basis says what a change is held against.
	Basis Basis `json:"basis"`
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
	decider  *decider
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
	// OnlyIn is "old" or "new", or "some" if not all runs of both sides have it.
	OnlyIn   string      `json:"only_in"`
	Workload string      `json:"workload"`
	Variant  string      `json:"variant,omitempty"`
	Mode     report.Mode `json:"mode"`
	// Metric is "" where all of the trials are missing.
	Metric string `json:"metric,omitempty"`
}

// Named is a report and what to call it.
type Named struct {
	Name   string
	Report *report.Report
}

// Options say how much is computed, and from what; the zero value is the least.
type Options struct {
	// Cores asks for Pair.Switches too.
	Cores bool
	// Like are reports of runs that are like those of the old side. They tell how much
	// runs differ without a change, where the sides' own runs do not.
	Like []Named
}

// ErrNothingInCommon is wrapped by the error of Reports for reports of different work.
var ErrNothingInCommon = errors.New("nothing in common")

// Reports compares each side but the first with the first. Every side is one report
// at least, and several are runs of the same on the same machine. Figures are matched by
// workload, variant and mode. A run is one sample, whatever its rounds: what moves
// figures between runs does not vary between the rounds of one.
func Reports(old []Named, others [][]Named, opts Options) (*Comparison, error) {
	samples, err := readSides(append([][]Named{old}, append(slices.Clone(others), opts.Like)...), opts.Cores)
	if err != nil {
		return nil, err
	}
	like := samples[len(samples)-1]
	c := &Comparison{Version: Version, Old: samples[0].side(), Pairs: []Pair{}}
	for i := range others {
		other := samples[1+i]
		same, err := sameReport(samples[0], other)
		if err != nil {
			return nil, err
		}
		m := matcher{old: samples[0], new: other, like: like.without(samples[0], other), opts: opts}
		pair, notes := m.pairs()
		if len(pair.Changes) == 0 {
			return nil, fmt.Errorf("compare %s with %s: %w: no workload of both ran in the same mode; compare runs of the same work",
				c.Old.Name, other.side().Name, ErrNothingInCommon)
		}
		first, last := samples[0].runs[0], other.runs[0]
		pair.New, pair.Differences = other.side(), unlike(first.Report, last.Report)
		pair.Warnings = append(unknownSettings(first, last), warnings(c.Old, pair, notes)...)
		pair.Warnings = append(pair.Warnings, samples[0].warnings("old")...)
		pair.Warnings = append(pair.Warnings, other.warnings("new")...)
		if pair.Basis.Kind == BasisLike {
			pair.Warnings = append(pair.Warnings, m.like.notLike(first)...)
		}
		if same != "" {
			pair.Warnings = append([]string{same}, pair.Warnings...)
		}
		c.Pairs = append(c.Pairs, pair)
	}
	return c, nil
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
	return append(out, metric.RoundNotes(notes)...)
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
	if err := asciijson.Write(w, c); err != nil {
		return fmt.Errorf("encode comparison: %w", err)
	}
	return nil
}
