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

// Comparison is what changed from one report, or from several runs, to others:
//
//	Reports ─→ Comparison ─┬─ Check                      conditions for CI
//	                       ├─ view.SummarizeComparison   for a reader
//	                       └─ table.Comparison           one row per figure
type Comparison struct {
	// Version is the Version of the program that made the comparison.
	Version int `json:"comparison_version"`
	// Old is the side with which all others are compared.
	Old Side `json:"old"`
	// Pairs hold the comparison of each other side with the old one, in the order given.
	Pairs []Pair `json:"pairs"`
	// Checked holds the results of Check.
	Checked []Checked `json:"conditions,omitempty"`
}

// Side is one report, or several runs of the same work.
type Side struct {
	// Name is the name of the report's file, or what else the caller calls it. If there are several
	// runs, it is the first one's, and how many more there are.
	Name string `json:"name"`
	// Runs are the names of all runs in the order in which they began.
	Runs []string `json:"runs"`
	// Created is when the first run began.
	Created time.Time `json:"created"`
	Kernel  string    `json:"kernel"`
	// Trials is the number of trials of all runs.
	Trials int `json:"trials"`
	// NotClean says why the figures cannot be used as they are.
	NotClean []string `json:"not_clean,omitempty"`
	// Host is the machine of the first run.
	Host report.Host `json:"-"`
}

// Pair is what changed from the old side to one other.
type Pair struct {
	New Side `json:"new"`
	// Basis is what changes are compared with.
	Basis Basis `json:"basis"`
	// Differences are those between machines, kernels, hooks, set-ups and settings.
	Differences []Difference `json:"differences"`
	// Warnings are sentences about how far the two sides can be compared.
	Warnings []string `json:"warnings,omitempty"`
	// Missing is what only one of the sides has.
	Missing []Missing `json:"missing,omitempty"`
	// Changes hold every figure of whole trials that both sides have, Switches those of each core
	// and class of switch.
	Changes  []Change `json:"changes"`
	Switches []Change `json:"switches,omitempty"`
	// Groups hold the figures of control groups of a watched system. Their names are Change.Variant.
	Groups []Change `json:"groups,omitempty"`
	// Stacks hold for how long tasks of a watched system were off their cores, by stack and state: those
	// with the most time asleep, then those with the most time runnable. StacksLeftOut counts the others.
	Stacks        []Change `json:"stacks,omitempty"`
	StacksLeftOut int      `json:"stacks_left_out,omitempty"`
	decider       *decider
}

// Difference is one property or setting in which two reports differ. A value is "" if it was not
// read or not asked for.
type Difference struct {
	Name string `json:"name"`
	Old  string `json:"old"`
	New  string `json:"new"`
}

// Missing is a workload in one mode, or one metric of it, that only one side has.
type Missing struct {
	// OnlyIn is "old" or "new", or "some" if some runs of both sides have it.
	OnlyIn   string      `json:"only_in"`
	Workload string      `json:"workload"`
	Variant  string      `json:"variant,omitempty"`
	Mode     report.Mode `json:"mode"`
	// Metric is "" if the trials as a whole are missing.
	Metric string `json:"metric,omitempty"`
}

// Input is a report and its name.
type Input struct {
	Name   string
	Report *report.Report
}

// Options are what is computed, and from what. The zero value computes the least.
type Options struct {
	// Cores asks for Pair.Switches.
	Cores bool
	// Like are reports of runs that are similar to those of the old side. They show how much runs
	// differ without a change, if the runs of the sides do not.
	Like []Input
}

// ErrNothingInCommon is wrapped by the error of Reports if the reports have no work in common.
var ErrNothingInCommon = errors.New("nothing in common")

// Reports compares each side with the old one. A side is one or more reports; several are runs of
// the same work on the same machine. Figures are matched by workload, variant and mode. A run is
// one sample, however many rounds it has: much of what changes figures from run to run does not
// vary between the rounds of one run.
func Reports(old []Input, others [][]Input, opts Options) (*Comparison, error) {
	sides := append([][]Input{old}, others...)
	samples, err := readSides(append(sides, opts.Like), opts.Cores)
	if err != nil {
		return nil, err
	}
	if err := sameTasks(slices.Concat(sides...)); err != nil {
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
			return nil, fmt.Errorf("compare %s with %s: %w: no workload of both ran in the same mode; "+
				"compare runs of the same work", c.Old.Name, other.side().Name, ErrNothingInCommon)
		}
		first, last := samples[0].runs[0], other.runs[0]
		pair.New, pair.Differences = other.side(), differencesOf(first.Report, last.Report)
		groups := pair.Warnings
		pair.Warnings = append(unknownSettings(first, last), warnings(c.Old, pair, notes)...)
		pair.Warnings = append(pair.Warnings, samples[0].warnings("old")...)
		pair.Warnings = append(pair.Warnings, other.warnings("new")...)
		pair.Warnings = append(pair.Warnings, groups...)
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

// warnings returns sentences about a pair of sides.
func warnings(old Side, p Pair, notes map[string]bool) []string {
	var out []string
	var names []string
	for _, d := range p.Differences {
		if d.Name != "workloads" && d.Name != "modes" { // only what both sides ran is compared
			names = append(names, d.Name)
		}
	}
	if len(names) > 0 {
		out = append(out, fmt.Sprintf("the two sides differ in %s, which may be the reason for a change.",
			strings.Join(names, ", ")))
	}
	for _, s := range []Side{old, p.New} {
		if len(s.NotClean) > 0 {
			out = append(out, fmt.Sprintf("%s is not clean: %s.", s.Name, strings.Join(s.NotClean, "; ")))
		}
	}
	return append(out, metric.RoundNotes(notes)...)
}

// finite returns a number that JSON can represent, or nil.
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
