package findings

import (
	"cmp"
	"math"
	"slices"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
	"github.com/slicetrace/slicetrace/report/stats"
)

// SameWithin is the ratio up to which two modes count as alike.
const SameWithin = clearlyMore

// Preference is which mode is better for one kind of work on this machine.
type Preference struct {
	// Work names the kind of work. Load is the workload that represents it, and Metric the metric
	// by which it is judged.
	Work   string
	Load   metric.Load
	Metric metric.Metric
	// Mode is the better one, "" if they are alike or it is undecided.
	Mode report.Mode
	// Decided is false if the figures do not decide. pValue is the probability of figures that
	// speak for Mode as clearly, if it were not the better one.
	Decided bool
	pValue  float64
	// Ratio is the metric of processes ÷ that of threads.
	Ratio metric.Difference
}

// kind is a kind of work and the metric by which it is judged.
type kind struct {
	work   string
	load   metric.Load
	metric metric.Metric
	// less is true if the smaller figure is the better one.
	less bool
}

func kinds(r *report.Report) []kind {
	out := []kind{
		{work: "hand-offs by pipe", load: whole("pipe")},
		{work: "hand-offs by socket", load: whole("socket")},
		{work: "hand-offs by futex", load: whole("futex")},
		{work: "messages, many to many", load: whole("messaging")},
		{work: "yielding the core", load: whole("yield")},
		{work: "computing, cores shared", load: whole("spin")},
	}
	if l, ok := scaled(r, math.MaxInt); ok {
		out = append(out, kind{work: "computing, " + l.Variant + " workers", load: l})
	}
	out = append(out,
		kind{work: "creating and joining", load: whole("spawn")},
		kind{work: "waiting for timers", load: metric.Load{Name: "sleep", Variant: "many"}},
		kind{work: "one counter, atomic adds", load: metric.Load{Name: "counter", Variant: "atomic"}},
		kind{work: "one counter, under a lock", load: metric.Load{Name: "counter", Variant: "lock"}},
	)
	for i := range out {
		out[i].metric = metric.Throughput()
	}
	waking := kind{work: "waking on a busy core", load: whole("interactive"), metric: sleepersWait(), less: true}
	return append(out, waking)
}

// Preferences judges each kind of work that ran in both modes. The probability that any of them is
// wrong is 5 %, by Holm's method (1979): it takes the clearest result first, at that level divided
// by the number of kinds, then the next at the level divided by one less, until one is not clear
// enough.
func Preferences(r *report.Report) []Preference {
	var out []Preference
	for _, k := range kinds(r) {
		threads := metric.Sample(metric.TrialsOf(r, k.load, report.Threads), k.metric)
		processes := metric.Sample(metric.TrialsOf(r, k.load, report.Processes), k.metric)
		if len(threads.Values) == 0 || len(processes.Values) == 0 {
			continue
		}
		p := Preference{Work: k.work, Load: k.load, Metric: k.metric, Ratio: metric.Compare(processes, threads)}
		p.judge(k.less)
		out = append(out, p)
	}
	holm(out)
	return out
}

// holm marks as decided those that are significant among all of them.
func holm(preferences []Preference) {
	order := make([]int, len(preferences))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(preferences[a].pValue, preferences[b].pValue)
	})
	clear := true
	for rank, i := range order {
		p := &preferences[i]
		clear = clear && p.pValue <= (1-stats.Confidence)/float64(len(preferences)-rank)
		if p.Decided = clear; !clear {
			p.Mode = ""
		}
	}
}

// judge sets the clearest of three results, and the p-value of the opposite: processes have so much
// more of the metric than SameWithin, so much less than its inverse, or are between the two. less is
// true if less of the metric is better.
func (p *Preference) judge(less bool) {
	more, fewer := report.Processes, report.Threads
	if less {
		more, fewer = fewer, more
	}
	p.Mode, p.pValue = more, p.Ratio.Beyond(SameWithin, true)
	if below := p.Ratio.Beyond(1/SameWithin, false); below < p.pValue {
		p.Mode, p.pValue = fewer, below
	}
	if between := max(p.Ratio.Beyond(SameWithin, false), p.Ratio.Beyond(1/SameWithin, true)); between < p.pValue {
		p.Mode, p.pValue = "", between
	}
}

// CrashSurvival judges in which mode more workers survive a crash. ok is false if no worker crashed
// in one of the modes. A mode is better if in every round more of its workers survive than in any
// round of the other.
func CrashSurvival(r *report.Report) (p Preference, ok bool) {
	p = Preference{Work: "surviving a crash", Load: whole("crash"), Metric: metric.Survivors()}
	processes := metric.Sample(metric.TrialsOf(r, p.Load, report.Processes), p.Metric).Values
	threads := metric.Sample(metric.TrialsOf(r, p.Load, report.Threads), p.Metric).Values
	if len(processes) == 0 || len(threads) == 0 {
		return p, false
	}
	if len(processes) < stats.LeastPairs || len(threads) < stats.LeastPairs {
		return p, true
	}
	switch {
	case slices.Min(processes) > slices.Max(threads):
		p.Mode, p.Decided = report.Processes, true
	case slices.Min(threads) > slices.Max(processes):
		p.Mode, p.Decided = report.Threads, true
	default:
		p.Decided = slices.Max(processes) == slices.Min(processes) && slices.Equal(processes, threads)
	}
	return p, true
}
