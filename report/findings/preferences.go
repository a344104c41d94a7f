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
const SameWithin = dearerBy

// Preference is which mode serves one kind of work better on this machine.
type Preference struct {
	// Work names the kind of work, Load is the workload that stands for it, and Metric what
	// it is judged by.
	Work   string
	Load   metric.Load
	Metric metric.Metric
	// Mode is the better one, "" when they are alike or it is undecided.
	Mode report.Mode
	// Decided is false when the figures allow neither. p is the probability of figures
	// that speak so clearly for Mode, were it not so.
	Decided bool
	p       float64
	// By is the better mode's merit ÷ the other's, above 1 where Mode is set;
	// threads' ÷ processes' where it is not.
	By metric.Difference
}

// kind is a kind of work and what it is judged by.
type kind struct {
	work   string
	load   metric.Load
	metric metric.Metric
	// less says that the smaller figure is the better one.
	less bool
}

func kinds(r *report.Report) []kind {
	out := []kind{
		{work: "taking turns over pipes", load: whole("pipe")},
		{work: "taking turns over sockets", load: whole("socket")},
		{work: "taking turns by futex", load: whole("futex")},
		{work: "messages, many to many", load: whole("messaging")},
		{work: "yielding the core", load: whole("yield")},
		{work: "computing, cores shared", load: whole("spin")},
	}
	if l, ok := scaled(r, math.MaxInt); ok {
		out = append(out, kind{work: "computing, " + l.Variant + " workers", load: l})
	}
	out = append(out,
		kind{work: "creating and ending", load: whole("spawn")},
		kind{work: "waiting for timers", load: metric.Load{Name: "sleep", Variant: "many"}},
		kind{work: "one counter, atomic adds", load: metric.Load{Name: "counter", Variant: "atomic"}},
		kind{work: "one counter, under a lock", load: metric.Load{Name: "counter", Variant: "lock"}},
	)
	for i := range out {
		out[i].metric = metric.Throughput()
	}
	return append(out, kind{work: "waking beside CPU hogs", load: whole("interactive"), metric: sleepersWait(), less: true})
}

// Preferences judges each kind of work that ran in both modes. All of them together are
// wrong with a probability of 5 %: Holm's method (1979) takes the clearest first, at that
// level divided by the number of kinds, and the next at that divided by one less, until
// one is not clear enough.
func Preferences(r *report.Report) []Preference {
	var out []Preference
	for _, k := range kinds(r) {
		threads := metric.Sample(metric.TrialsOf(r, k.load, report.Threads), k.metric)
		processes := metric.Sample(metric.TrialsOf(r, k.load, report.Processes), k.metric)
		if len(threads.Values) == 0 || len(processes.Values) == 0 {
			continue
		}
		better, worse := threads, processes
		if k.less {
			better, worse = processes, threads
		}
		f := Preference{Work: k.work, Load: k.load, Metric: k.metric}
		f.judge(better, worse)
		out = append(out, f)
	}
	holm(out)
	return out
}

// holm leaves those decided that are so among all of them.
func holm(favours []Preference) {
	order := make([]int, len(favours))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(favours[a].p, favours[b].p) })
	clear := true
	for rank, i := range order {
		f := &favours[i]
		clear = clear && f.p <= (1-stats.Confidence)/float64(len(favours)-rank)
		if f.Decided = clear; clear && f.Mode == report.Processes {
			f.By = f.By.Inverse()
		} else if !clear {
			f.Mode = ""
		}
	}
}

// judge sets which of three things a, threads' merit, against b, processes', says most
// clearly, and the p-value of its not being so: the ratio is above sameWithin, which
// favours threads, below the inverse, or between the two.
func (f *Preference) judge(a, b metric.Rounds) {
	f.By = metric.Compare(a, b)
	f.p = f.By.Beyond(SameWithin, true)
	f.Mode = report.Threads
	if p := f.By.Beyond(1/SameWithin, false); p < f.p {
		f.Mode, f.p = report.Processes, p
	}
	if p := max(f.By.Beyond(SameWithin, false), f.By.Beyond(1/SameWithin, true)); p < f.p {
		f.Mode, f.p = "", p
	}
}

// CrashSurvival judges in which mode more workers outlive a crash; ok is false where no worker crashed in both modes.
// A mode is favoured if in every round more of its workers live on than ever of the other's.
func CrashSurvival(r *report.Report) (f Preference, ok bool) {
	f = Preference{Work: "outliving a crash", Load: whole("crash"), Metric: metric.Survivors()}
	processes := metric.Sample(metric.TrialsOf(r, f.Load, report.Processes), f.Metric).Values
	threads := metric.Sample(metric.TrialsOf(r, f.Load, report.Threads), f.Metric).Values
	if len(processes) == 0 || len(threads) == 0 {
		return f, false
	}
	if len(processes) < stats.LeastPairs || len(threads) < stats.LeastPairs {
		return f, true
	}
	switch {
	case slices.Min(processes) > slices.Max(threads):
		f.Mode, f.Decided = report.Processes, true
	case slices.Min(threads) > slices.Max(processes):
		f.Mode, f.Decided = report.Threads, true
	default:
		f.Decided = slices.Max(processes) == slices.Min(processes) && slices.Equal(processes, threads)
	}
	return f, true
}
