package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"golang.org/x/perf/benchmath"
)

// confidence is the level of the intervals shown beside medians.
const confidence = 0.95

// metric is one figure of a trial, absent where it was not measured.
type metric struct {
	name string
	of   func(*Trial) Quantity
}

// metrics returns what modes are compared by.
func metrics() []metric {
	class := func(pick func(ClassStats) Histogram) func(*Trial) Quantity {
		return func(t *Trial) Quantity { return quantile(pick(t.ownSwitches()), 0.5) }
	}
	wrap := func(f func(*Trial) (float64, bool), unit Unit) func(*Trial) Quantity {
		return func(t *Trial) Quantity {
			v, ok := f(t)
			return maybe(v, ok, unit)
		}
	}
	return []metric{
		{"operations", wrap((*Trial).OperationsPerSecond, PerSecond)},
		{"pick phase p50", class(func(c ClassStats) Histogram { return c.Pick })},
		{"switch phase p50", class(func(c ClassStats) Histogram { return c.Switch })},
		{"cost of a switch p50", class(func(c ClassStats) Histogram { return c.Cost })},
		{"core time in switches", func(t *Trial) Quantity {
			share, ok := t.SwitchingShare()
			return maybe(100*share, ok, Percent)
		}},
		{"time slice p50", func(t *Trial) Quantity {
			length, _ := sliceLengths([]*Trial{t})
			return quantile(length, 0.5)
		}},
		{"wait mean", func(t *Trial) Quantity {
			mean, ok := t.Wait().Mean()
			return maybe(mean, ok, Nanoseconds)
		}},
		{"wait p99", func(t *Trial) Quantity { return quantile(t.Wait(), 0.99) }},
		{"longest wait", func(t *Trial) Quantity {
			ns, ok := t.WaitMaxNS()
			return maybe(float64(ns), ok, Nanoseconds)
		}},
		{"fairness (Jain index)", wrap((*Trial).JainIndex, Index)},
		{"parallelism", wrap((*Trial).Parallelism, Ratio)},
		{"concurrency", wrap((*Trial).Concurrency, Ratio)},
	}
}

// ownSwitches returns the switches that the trial's mode makes: process
// switches of processes, thread switches of threads, all user switches of a command.
func (t *Trial) ownSwitches() ClassStats {
	switch t.Mode {
	case Processes:
		return t.Class(ClassProcess)
	case Threads:
		return t.Class(ClassThread)
	}
	both := t.Class(ClassThread)
	both.merge(t.Class(ClassProcess))
	return both
}

// modeSection compares processes with threads, or shows the one mode that ran.
// A trial is one sample: its switches are not independent of each other.
func (r *Report) modeSection() Section {
	modes, title := r.modes()
	s := Section{Title: title, Columns: []Column{textColumn("metric")}}
	for _, m := range modes {
		s.Columns = append(s.Columns, Column{Name: string(m)})
	}
	compared := len(modes) == 2
	if compared {
		s.Columns = append(s.Columns, columns("ratio", "p")...)
	}
	notes := map[string]bool{}
	for _, load := range r.loads() {
		g := load.group()
		for _, m := range metrics() {
			if row, ok := r.metricRow(load, m, modes, notes); ok {
				g.Rows = append(g.Rows, row)
			}
		}
		if len(g.Rows) > 0 {
			s.Groups = append(s.Groups, g)
		}
	}
	s.Caption = figuresCaption
	if r.Setup.Rounds > 1 || modes[0] != Command {
		s.Caption = modeCaption(compared)
		s.Notes = roundNotes(notes)
	}
	return s
}

// modes returns the modes to show, and the title that fits them.
func (r *Report) modes() ([]Mode, string) {
	ran := map[Mode]bool{}
	for i := range r.Trials {
		ran[r.Trials[i].Mode] = true
	}
	switch {
	case ran[Processes] && ran[Threads]:
		return []Mode{Processes, Threads}, "Processes or threads"
	case ran[Processes]:
		return []Mode{Processes}, "Work and waits"
	case ran[Threads]:
		return []Mode{Threads}, "Work and waits"
	}
	return []Mode{Command}, "The command as a whole"
}

func modeCaption(compared bool) string {
	caption := "Medians over rounds, ± the wider side of the 95 % confidence interval. "
	if compared {
		caption += "Ratio is processes ÷ threads, the median over rounds; ~ where the Mann-Whitney test sees no difference (p > 0.05). "
	}
	return caption + figuresCaption
}

const figuresCaption = "Wait is the time runnable but not running. Parallelism is how many workers ran at once, " +
	"concurrency how many ran or waited to. A Jain index of 1 is an even share of CPU time."

// metricRow summarizes one metric over rounds in each mode; ok is false where no mode has it.
func (r *Report) metricRow(load load, m metric, modes []Mode, notes map[string]bool) (row Row, ok bool) {
	row = Row{textCell(m.name)}
	samples := make([]rounds, len(modes))
	for i, mode := range modes {
		samples[i] = sampleRounds(r.trialsOf(load, mode), m)
		row = append(row, samples[i].cell(notes))
		ok = ok || len(samples[i].values) > 0
	}
	if len(modes) == 2 {
		row = append(row, compareCells(samples[0], samples[1], notes)...)
	}
	return row, ok
}

// rounds is one metric of one mode, round by round.
type rounds struct {
	unit   Unit
	values []float64
	round  []int
}

func sampleRounds(trials []*Trial, m metric) rounds {
	var s rounds
	for _, t := range trials {
		if q := m.of(t); q.Known {
			s.unit, s.values, s.round = q.Unit, append(s.values, q.Value), append(s.round, t.Round)
		}
	}
	return s
}

// sample copies the values, since NewSample sorts them in place.
func (s rounds) sample() *benchmath.Sample {
	thresholds := benchmath.DefaultThresholds
	return benchmath.NewSample(slices.Clone(s.values), &thresholds)
}

// cell returns the median and its interval; a lone round has no spread to speak of.
func (s rounds) cell(notes map[string]bool) Cell {
	if len(s.values) == 0 {
		return Cell{}
	}
	sum := benchmath.AssumeNothing.Summary(s.sample(), confidence)
	addNotes(notes, sum.Warnings)
	return Cell{Value: Of(sum.Center, s.unit), Spread: spread(sum)}
}

// spread returns how far the interval reaches from the centre, in percent of it.
func spread(s benchmath.Summary) Quantity {
	if s.Center == 0 || math.IsInf(s.Lo, 0) || math.IsInf(s.Hi, 0) {
		return Quantity{Unit: Percent}
	}
	return Of(100*math.Max(s.Hi/s.Center-1, 1-s.Lo/s.Center), Percent)
}

// compareCells returns the ratio of a to b and the p-value of their difference.
// Without a significant difference there is no ratio.
func compareCells(a, b rounds, notes map[string]bool) []Cell {
	if len(a.values) == 0 || len(b.values) == 0 {
		return []Cell{{}, {}}
	}
	p := 1.0
	// The test is undefined when all values are alike, and they then do not differ.
	if slices.Min(a.values) != slices.Max(b.values) || slices.Max(a.values) != slices.Min(b.values) {
		c := benchmath.AssumeNothing.Compare(a.sample(), b.sample())
		addNotes(notes, c.Warnings)
		p = c.P
	}
	if p > benchmath.DefaultThresholds.CompareAlpha {
		return []Cell{textCell("~"), valueCell(Of(p, Probability))}
	}
	// Paired by round, so that drift between rounds cancels.
	ratios := rounds{unit: Ratio}
	for i, round := range a.round {
		if j := slices.Index(b.round, round); j >= 0 && b.values[j] != 0 {
			ratios.values = append(ratios.values, a.values[i]/b.values[j])
		}
	}
	return []Cell{ratios.cell(notes), valueCell(Of(p, Probability))}
}

func addNotes(notes map[string]bool, warnings []error) {
	for _, w := range warnings {
		notes[w.Error()] = true
	}
}

// roundNotes turns the statistics' warnings into one sentence with its remedy.
func roundNotes(notes map[string]bool) []string {
	if len(notes) == 0 {
		return nil
	}
	var all []string
	for n := range notes {
		all = append(all, n)
	}
	slices.Sort(all)
	return []string{fmt.Sprintf("A round is one sample: %s. Ask for more with --rounds.", strings.Join(all, "; "))}
}
