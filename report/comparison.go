package report

import (
	"errors"
	"fmt"
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
		m := matcher{old: samples[0], new: samples[1+i], opts: opts}
		m.pair = Pair{New: other.side(), Differences: unlike(old.Report, other.Report), Changes: []Change{}}
		m.match()
		if len(m.pair.Changes) == 0 {
			return nil, fmt.Errorf("compare %s with %s: %w: no workload of both ran in the same mode; compare runs of the same work",
				old.Name, other.Name, ErrNothingInCommon)
		}
		m.pair.Warnings = warnings(c.Old, m.pair, m.notes)
		c.Pairs = append(c.Pairs, m.pair)
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

// figures are the samples of a report, by load and mode.
type figures struct {
	loads  []load
	trials map[string][]*Trial
	pooled map[string][]*Trial
}

func newFigures(r *Report) figures {
	f := figures{loads: r.loads(), trials: map[string][]*Trial{}, pooled: map[string][]*Trial{}}
	for i := range r.Trials {
		t := &r.Trials[i]
		key := trialKey(t.Workload, t.Variant, t.Mode)
		f.trials[key] = append(f.trials[key], t)
		f.pooled[key] = append(f.pooled[key], t.pooled())
	}
	return f
}

// trialKey joins by a byte that no UTF-8 text holds.
func trialKey(workload, variant string, mode Mode) string {
	return workload + "\xff" + variant + "\xff" + string(mode)
}

// matcher brings the figures of two reports together.
type matcher struct {
	old, new figures
	opts     CompareOptions
	pair     Pair
	notes    map[string]bool
	shifts   shifts
}

func (m *matcher) match() {
	m.notes = map[string]bool{}
	metrics := comparedMetrics()
	for _, l := range m.old.loads {
		for _, mode := range l.modes {
			key := trialKey(l.name, l.variant, mode)
			at := Missing{OnlyIn: "old", Workload: l.name, Variant: l.variant, Mode: mode}
			if m.new.trials[key] == nil {
				m.pair.Missing = append(m.pair.Missing, at)
				continue
			}
			for _, metric := range metrics {
				m.add(at, metric, key)
			}
			if m.opts.Cores {
				m.addCores(at, key)
			}
		}
	}
	for _, l := range m.new.loads {
		for _, mode := range l.modes {
			if m.old.trials[trialKey(l.name, l.variant, mode)] == nil {
				m.pair.Missing = append(m.pair.Missing, Missing{OnlyIn: "new", Workload: l.name, Variant: l.variant, Mode: mode})
			}
		}
	}
	judge(m.pair.Changes)
	judge(m.pair.Switches)
}

// add compares one metric of whole trials.
func (m *matcher) add(at Missing, metric compared, key string) {
	a, b := sampleRounds(m.old.pooled[key], metric.metric), sampleRounds(m.new.pooled[key], metric.metric)
	at.Metric = metric.key
	switch {
	case len(a.values) > 0 && len(b.values) > 0:
		if c, ok := m.change(a, b); ok {
			c.Workload, c.Variant, c.Mode, c.Metric = at.Workload, at.Variant, at.Mode, at.Metric
			m.pair.Changes = append(m.pair.Changes, c)
		}
	case len(a.values) > 0:
		m.pair.Missing = append(m.pair.Missing, at)
	case len(b.values) > 0:
		at.OnlyIn = "new"
		m.pair.Missing = append(m.pair.Missing, at)
	}
}

// addCores compares the phases of each class of switch on each core that both reports have.
func (m *matcher) addCores(at Missing, key string) {
	old, cpus := byCore(m.old.trials[key])
	other, _ := byCore(m.new.trials[key])
	for _, cpu := range cpus {
		for _, class := range Classes() {
			for _, p := range phases() {
				for _, q := range []float64{p50, p99} {
					metric := p.ofClass(q, class)
					a, b := sampleRounds(old[cpu], metric.metric), sampleRounds(other[cpu], metric.metric)
					if len(a.values) == 0 || len(b.values) == 0 {
						continue
					}
					if c, ok := m.change(a, b); ok {
						c.Workload, c.Variant, c.Mode, c.Metric = at.Workload, at.Variant, at.Mode, metric.key
						c.Core, c.Class = &cpu, class
						m.pair.Switches = append(m.pair.Switches, c)
					}
				}
			}
		}
	}
}

// byCore returns the trials as each core saw them, and the cores, ascending.
func byCore(trials []*Trial) (on map[int][]*Trial, cpus []int) {
	on = map[int][]*Trial{}
	for _, t := range trials {
		for i := range t.Cores {
			cpu := t.Cores[i].CPU
			if on[cpu] == nil {
				cpus = append(cpus, cpu)
			}
			on[cpu] = append(on[cpu], &Trial{Round: t.Round, Mode: t.Mode, Cores: t.Cores[i : i+1]})
		}
	}
	slices.Sort(cpus)
	return on, cpus
}

// finite is a number that JSON can hold, nil for any other.
func finite(x float64) *float64 {
	if math.IsInf(x, 0) || math.IsNaN(x) {
		return nil
	}
	return &x
}
