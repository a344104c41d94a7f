package view

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
	"github.com/slicetrace/slicetrace/report/stats"
)

// sameWithin is the ratio up to which two modes count as alike.
const sameWithin = dearerBy

// favour is which mode serves one kind of work better on this machine.
type favour struct {
	// work names the kind of work, load is the workload that stands for it, and metric what
	// it is judged by.
	work   string
	load   metric.Load
	metric metric.Metric
	// mode is the better one, "" when they are alike or it is undecided.
	mode report.Mode
	// decided is false when the figures allow neither. p is the probability of figures
	// that speak so clearly for mode, were it not so.
	decided bool
	p       float64
	// by is the better mode's merit ÷ the other's, above 1 where mode is set;
	// threads' ÷ processes' where it is not.
	by metric.Difference
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

// favours judges each kind of work that ran in both modes. All of them together are
// wrong with a probability of 5 %: Holm's method (1979) takes the clearest first, at that
// level divided by the number of kinds, and the next at that divided by one less, until
// one is not clear enough.
func favours(r *report.Report) []favour {
	var out []favour
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
		f := favour{work: k.work, load: k.load, metric: k.metric}
		f.judge(better, worse)
		out = append(out, f)
	}
	holm(out)
	return out
}

// holm leaves those decided that are so among all of them.
func holm(favours []favour) {
	order := make([]int, len(favours))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(favours[a].p, favours[b].p) })
	clear := true
	for rank, i := range order {
		f := &favours[i]
		clear = clear && f.p <= (1-stats.Confidence)/float64(len(favours)-rank)
		if f.decided = clear; clear && f.mode == report.Processes {
			f.by = f.by.Inverse()
		} else if !clear {
			f.mode = ""
		}
	}
}

// judge sets which of three things a, threads' merit, against b, processes', says most
// clearly, and the p-value of its not being so: the ratio is above sameWithin, which
// favours threads, below the inverse, or between the two.
func (f *favour) judge(a, b metric.Rounds) {
	f.by = metric.Compare(a, b)
	f.p = f.by.Beyond(sameWithin, true)
	f.mode = report.Threads
	if p := f.by.Beyond(1/sameWithin, false); p < f.p {
		f.mode, f.p = report.Processes, p
	}
	if p := max(f.by.Beyond(sameWithin, false), f.by.Beyond(1/sameWithin, true)); p < f.p {
		f.mode, f.p = "", p
	}
}

// choiceSection ends a report of bundled work: what to choose for what.
func choiceSection(r *report.Report) Section {
	s := Section{
		Title: "Processes or threads?",
		Caption: fmt.Sprintf("Ratio of operations a second (beside hogs: of mean waits), ± its 95 %% interval or with its ends. Neither: alike within %.0f %%. "+
			"All rows together at 5 %% (Holm). Undecided: more --rounds may tell.", 100*(sameWithin-1)),
		Columns: []Column{textColumn("kind of work"), textColumn("workload"), textColumn("favours"), {Name: "by"}, textColumn("isolation costs")},
	}
	var g Group
	for _, f := range favours(r) {
		favoured, by, price := f.words()
		g.Rows = append(g.Rows, Row{textCell(f.work), textCell(f.load.Title()), textCell(favoured), by, textCell(price)})
	}
	if row, ok := isolationRow(r); ok {
		g.Rows = append(g.Rows, row)
	}
	if len(g.Rows) > 0 {
		s.Groups = append(s.Groups, g)
	}
	return s
}

// outliving judges in which mode more workers outlive a crash; ok is false where no worker crashed in both modes.
// A mode is favoured if in every round more of its workers live on than ever of the other's.
func outliving(r *report.Report) (f favour, ok bool) {
	f = favour{work: "outliving a crash", load: whole("crash"), metric: metric.Survivors()}
	processes := metric.Sample(metric.TrialsOf(r, f.load, report.Processes), f.metric).Values
	threads := metric.Sample(metric.TrialsOf(r, f.load, report.Threads), f.metric).Values
	if len(processes) == 0 || len(threads) == 0 {
		return f, false
	}
	if len(processes) < stats.LeastPairs || len(threads) < stats.LeastPairs {
		return f, true
	}
	switch {
	case slices.Min(processes) > slices.Max(threads):
		f.mode, f.decided = report.Processes, true
	case slices.Min(threads) > slices.Max(processes):
		f.mode, f.decided = report.Threads, true
	default:
		f.decided = slices.Max(processes) == slices.Min(processes) && slices.Equal(processes, threads)
	}
	return f, true
}

// isolationRow says what isolation buys: who outlives a crash. Of each mode it gives the
// round in which most died.
func isolationRow(r *report.Report) (row Row, ok bool) {
	f, ok := outliving(r)
	if !ok {
		return nil, false
	}
	least := func(m report.Mode) report.Quantity {
		return report.Of(slices.Min(metric.Sample(metric.TrialsOf(r, f.load, m), f.metric).Values), report.Share)
	}
	p, t := least(report.Processes), least(report.Threads)
	favoured, by, price := "undecided", fmt.Sprintf("%s against %s live on", p, t), "not known"
	switch {
	case f.decided && f.mode == "":
		favoured, by, price = "neither", fmt.Sprintf("%s live on", p), "nothing measurable"
	case f.mode == report.Threads:
		favoured, by = string(f.mode), fmt.Sprintf("%s against %s live on", t, p)
		price = "what threads buy"
	case f.mode == report.Processes:
		favoured, price = string(f.mode), "what it buys"
	}
	return Row{textCell(f.work), textCell(f.load.Title()), textCell(favoured), textCell(by), textCell(price)}, true
}

// words returns a favour's cells: the mode, by how much, and what isolation costs.
func (f *favour) words() (favoured string, by Cell, price string) {
	switch {
	case !f.decided:
		return "undecided", textCell("~"), "not known"
	case f.mode == "":
		return "neither", textCell("~"), "nothing measurable"
	}
	by = ratioCell(f.by)
	if f.mode == report.Processes {
		return string(f.mode), by, "nothing: it pays"
	}
	ratio := f.by.Center
	if f.metric.Name == metric.Throughput().Name {
		return string(f.mode), by, fmt.Sprintf("%s of the operations", report.Of(100*(1-1/ratio), report.Share))
	}
	return string(f.mode), by, fmt.Sprintf("%s more waiting", report.Of(100*(ratio-1), report.Share))
}
