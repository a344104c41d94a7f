package compare

import (
	"maps"
	"runtime"
	"slices"
	"sync"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
	"github.com/slicetrace/slicetrace/report/sched"
)

// figures are the trials of a report, by load and mode.
type figures struct {
	loads  []metric.Load
	trials map[string][]*report.Trial
	pooled map[string][]*report.Trial
	// cores hold the trials as each core saw them.
	cores map[string]map[sched.CPU][]*report.Trial
	// groups hold the intervals of a watch as each control group saw them.
	groups map[string][]*report.Trial
	stacks stackTimes
}

func newFigures(r *report.Report, cores bool) figures {
	f := figures{
		loads:  metric.Loads(r),
		trials: map[string][]*report.Trial{},
		pooled: map[string][]*report.Trial{},
		cores:  map[string]map[sched.CPU][]*report.Trial{},
		groups: groupTrials(r),
		stacks: newStackTimes(r),
	}
	for i := range r.Trials {
		t := &r.Trials[i]
		key := trialKey(t.Workload, t.Variant, t.Mode)
		f.trials[key] = append(f.trials[key], t)
		f.pooled[key] = append(f.pooled[key], pooled(t))
		if !cores {
			continue
		}
		if f.cores[key] == nil {
			f.cores[key] = map[sched.CPU][]*report.Trial{}
		}
		for j := range t.Cores {
			cpu := t.Cores[j].CPU
			onCore := &report.Trial{Round: t.Round, Mode: t.Mode, Cores: t.Cores[j : j+1]}
			f.cores[key][cpu] = append(f.cores[key][cpu], onCore)
		}
	}
	return f
}

// trialKey joins the parts with a byte that cannot occur in UTF-8 text.
func trialKey(workload, variant string, mode report.Mode) string {
	return workload + "\xff" + variant + "\xff" + string(mode)
}

// matcher matches the figures of two sides.
type matcher struct {
	old, new, like side
	opts           Options
	pair           Pair
	notes          map[string]bool
}

// pairs matches the figures, a part of the workloads on each of the machine's cores, and decides
// them.
func (m *matcher) pairs() (Pair, map[string]bool) {
	loads := m.old.loads()
	shares := make([]matcher, min(runtime.GOMAXPROCS(0), max(1, len(loads))))
	var wait sync.WaitGroup
	for i := range shares {
		share := &shares[i]
		*share = *m
		share.notes = map[string]bool{}
		part := loads[i*len(loads)/len(shares) : (i+1)*len(loads)/len(shares)]
		wait.Go(func() { share.match(part) })
	}
	wait.Wait()
	pair, notes := Pair{Changes: []Change{}}, map[string]bool{}
	for i := range shares {
		p := &shares[i].pair
		pair.Missing = append(pair.Missing, p.Missing...)
		pair.Changes = append(pair.Changes, p.Changes...)
		pair.Switches = append(pair.Switches, p.Switches...)
		maps.Copy(notes, shares[i].notes)
	}
	for _, l := range m.new.loads() {
		for _, mode := range l.Modes {
			if m.old.ran(trialKey(l.Name, l.Variant, mode)) == 0 {
				at := Change{Workload: l.Name, Variant: l.Variant, Mode: mode}
				pair.Missing = append(pair.Missing, at.missing("new"))
			}
		}
	}
	pair.Warnings = append(m.addGroups(&pair.Groups), m.addStacks(&pair)...)
	d := newDecider(m.old, m.new, m.like)
	d.judge(pair.Switches)
	d.judge(pair.Groups)
	d.judge(pair.Stacks)
	d.judge(pair.Changes)
	pair.Basis, pair.decider = d.basis, &d
	return pair, notes
}

// loads returns the loads of all runs of a side.
func (s side) loads() []metric.Load {
	var out []metric.Load
	for _, f := range s.figures {
		for _, l := range f.loads {
			i := slices.IndexFunc(out, func(o metric.Load) bool { return o.Name == l.Name && o.Variant == l.Variant })
			if i < 0 {
				out = append(out, metric.Load{Name: l.Name, Variant: l.Variant, Modes: slices.Clone(l.Modes)})
				continue
			}
			for _, mode := range l.Modes {
				if !slices.Contains(out[i].Modes, mode) {
					out[i].Modes = append(out[i].Modes, mode)
				}
			}
		}
	}
	return out
}

// ran returns how many runs of a side have trials of a load in a mode.
func (s side) ran(key string) int {
	n := 0
	for _, f := range s.figures {
		if f.trials[key] != nil {
			n++
		}
	}
	return n
}

// sample returns the metric's value in each run that has it, and its samples: the values of the
// runs or, if the side has only one run, of its rounds. ok is false if a run does not have the
// metric.
func (s side) sample(
	trials func(figures) []*report.Trial, m metric.Metric,
) (runs []float64, samples metric.Rounds, ok bool) {
	for _, f := range s.figures {
		r := metric.Sample(trials(f), m)
		if len(r.Values) == 0 {
			continue
		}
		samples.Unit, samples.Longest = r.Unit, r.Longest
		runs = append(runs, middle(r))
		samples.Values = append(samples.Values, r.Values...)
	}
	if len(s.figures) > 1 {
		samples.Values, samples.Longest = runs, false
	}
	return runs, samples, len(runs) == len(s.figures)
}

// middle is the median of the values, or the greatest one if the metric is a longest value.
func middle(s metric.Rounds) float64 {
	if s.Longest {
		return slices.Max(s.Values)
	}
	sorted := slices.Sorted(slices.Values(s.Values))
	n := len(sorted)
	return sorted[(n-1)/2]/2 + sorted[n/2]/2
}

// estimate summarises the side's samples of a figure in a mode. It adds warnings about too few rounds
// to notes; how many runs there are is said by Basis. The intervals of one watch are alike, so they
// say nothing about how far the figure is from that of another watch.
func (s side) estimate(samples metric.Rounds, mode report.Mode, notes map[string]bool) (e Estimate, ok bool) {
	switch {
	case len(s.runs) > 1:
		return estimate(samples, nil)
	case mode == report.SystemMode:
		e, ok = estimate(samples, map[string]bool{})
		e.Low, e.High = nil, nil
		return e, ok
	}
	return estimate(samples, notes)
}

func (m *matcher) match(loads []metric.Load) {
	metrics := comparedMetrics()
	for _, l := range loads {
		for _, mode := range l.Modes {
			key := trialKey(l.Name, l.Variant, mode)
			at := Change{Workload: l.Name, Variant: l.Variant, Mode: mode}
			if was, is := m.old.ran(key), m.new.ran(key); was < len(m.old.runs) || is < len(m.new.runs) {
				switch {
				case is == 0:
					m.pair.Missing = append(m.pair.Missing, at.missing("old"))
				case was > 0:
					m.pair.Missing = append(m.pair.Missing, at.missing("some"))
				}
				continue
			}
			pooled := func(f figures) []*report.Trial { return f.pooled[key] }
			for _, c := range metrics {
				at.Metric = c.key
				at.Primary = c.primary(m.old.figures[0].pooled[key])
				m.add(&m.pair.Changes, at, c.Metric, pooled)
			}
			if m.opts.Cores {
				m.addCores(at, key)
			}
		}
	}
}

func (c *Change) missing(onlyIn string) Missing {
	return Missing{OnlyIn: onlyIn, Workload: c.Workload, Variant: c.Variant, Mode: c.Mode, Metric: c.Metric}
}

// add compares one metric of some trials.
func (m *matcher) add(to *[]Change, at Change, of metric.Metric, trials func(figures) []*report.Trial) {
	old, before, was := m.old.sample(trials, of)
	now, after, is := m.new.sample(trials, of)
	switch {
	case was && is:
		at.Unit = before.Unit
		at.runs = inRuns{old: old, new: now}
		at.runs.like, _, _ = m.like.sample(trials, of)
		var fine, also bool
		at.Old, fine = m.old.estimate(before, at.Mode, m.notes)
		at.New, also = m.new.estimate(after, at.Mode, m.notes)
		if fine && also { // an altered file can lead to an infinite median
			*to = append(*to, at)
		}
	case at.Core != nil: // not all runs have this core
	case was && len(now) == 0:
		m.pair.Missing = append(m.pair.Missing, at.missing("old"))
	case is && len(old) == 0:
		m.pair.Missing = append(m.pair.Missing, at.missing("new"))
	case len(old) > 0 && len(now) > 0:
		m.pair.Missing = append(m.pair.Missing, at.missing("some"))
	}
}

// addCores compares the phases of each class of switch on each core of the old side's first run.
func (m *matcher) addCores(at Change, key string) {
	for _, cpu := range slices.Sorted(maps.Keys(m.old.figures[0].cores[key])) {
		trials := func(f figures) []*report.Trial { return f.cores[key][cpu] }
		for _, class := range report.Classes() {
			for _, p := range phases() {
				for _, q := range []float64{p50, p99} {
					c := p.ofClass(q, class)
					at.Core, at.Class, at.Metric, at.Primary = &cpu, class, c.key, false
					m.add(&m.pair.Switches, at, c.Metric, trials)
				}
			}
		}
	}
}
