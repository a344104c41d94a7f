package report

import (
	"maps"
	"runtime"
	"slices"
	"sync"
)

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

// match brings two reports' figures together, a share of the workloads on each
// of the machine's cores.
func match(old, other figures, opts CompareOptions) (Pair, map[string]bool) {
	shares := make([]matcher, min(runtime.GOMAXPROCS(0), max(1, len(old.loads))))
	var wait sync.WaitGroup
	for i := range shares {
		m := &shares[i]
		*m = matcher{old: old, new: other, opts: opts, notes: map[string]bool{}}
		loads := old.loads[i*len(old.loads)/len(shares) : (i+1)*len(old.loads)/len(shares)]
		wait.Go(func() { m.match(loads) })
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
	for _, l := range other.loads {
		for _, mode := range l.modes {
			if old.trials[trialKey(l.name, l.variant, mode)] == nil {
				pair.Missing = append(pair.Missing, Missing{OnlyIn: "new", Workload: l.name, Variant: l.variant, Mode: mode})
			}
		}
	}
	judge(pair.Changes)
	judge(pair.Switches)
	return pair, notes
}

func (m *matcher) match(loads []load) {
	metrics := comparedMetrics()
	for _, l := range loads {
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
