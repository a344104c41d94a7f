package report

import (
	"fmt"
	"math"
)

// sameWithin is the ratio up to which two modes count as alike.
const sameWithin = dearerBy

// favour is which mode serves one kind of work better on this machine.
type favour struct {
	work   string
	load   load
	metric metric
	// mode is the better one, "" when they are alike or it is undecided.
	mode Mode
	// decided is false when the figures allow neither.
	decided bool
	// by is the better mode's merit ÷ the other's, above 1 where mode is set;
	// threads' ÷ processes' where it is not.
	by difference
}

// kind is a kind of work and what it is judged by.
type kind struct {
	work   string
	load   load
	metric metric
	// less says that the smaller figure is the better one.
	less bool
}

func (r *Report) kinds() []kind {
	out := []kind{
		{work: "taking turns over pipes", load: whole("pipe")},
		{work: "taking turns over sockets", load: whole("socket")},
		{work: "taking turns by futex", load: whole("futex")},
		{work: "messages, many to many", load: whole("messaging")},
		{work: "yielding the core", load: whole("yield")},
		{work: "computing, cores shared", load: whole("spin")},
	}
	if l, ok := r.scaled(math.MaxInt); ok {
		out = append(out, kind{work: "computing, " + l.variant + " workers", load: l})
	}
	out = append(out,
		kind{work: "creating and ending", load: whole("spawn")},
		kind{work: "waiting for timers", load: load{name: "sleep", variant: "many"}},
		kind{work: "one counter, atomic adds", load: load{name: "counter", variant: "atomic"}},
		kind{work: "one counter, under a lock", load: load{name: "counter", variant: "lock"}},
	)
	for i := range out {
		out[i].metric = throughput()
	}
	return append(out, kind{work: "waking beside CPU hogs", load: whole("interactive"), metric: sleepersWait(), less: true})
}

// favours judges each kind of work that ran in both modes.
func (r *Report) favours() []favour {
	var out []favour
	for _, k := range r.kinds() {
		threads := sampleRounds(r.trialsOf(k.load, Threads), k.metric)
		processes := sampleRounds(r.trialsOf(k.load, Processes), k.metric)
		if len(threads.values) == 0 || len(processes.values) == 0 {
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
	return out
}

// judge sets what a, threads' merit, against b, processes', says: one mode is
// favoured if the ratio's whole interval is beyond sameWithin, neither if all of it is
// within.
func (f *favour) judge(a, b rounds) {
	f.by = compare(a, b)
	switch d := f.by; {
	case !d.bounded():
	case d.low >= sameWithin:
		f.mode, f.decided = Threads, true
	case d.high <= 1/sameWithin:
		f.mode, f.decided = Processes, true
		f.by = d.inverse()
	default:
		f.decided = d.low >= 1/sameWithin && d.high <= sameWithin
	}
}

// choiceSection ends a report of bundled work: what to choose for what.
func (r *Report) choiceSection() Section {
	s := Section{
		Title: "Processes or threads?",
		Caption: fmt.Sprintf("Ratio of operations a second (beside hogs: of the mean wait) in the same round, ± its 95 %% interval. "+
			"Neither: alike within %.0f %%. Undecided: more --rounds may tell.", 100*(sameWithin-1)),
		Columns: []Column{textColumn("kind of work"), textColumn("workload"), textColumn("favours"), {Name: "by"}, textColumn("isolation costs")},
	}
	var g Group
	for _, f := range r.favours() {
		favoured, by, price := f.words()
		g.Rows = append(g.Rows, Row{textCell(f.work), textCell(f.load.title()), textCell(favoured), by, textCell(price)})
	}
	if row, ok := r.isolationRow(); ok {
		g.Rows = append(g.Rows, row)
	}
	if len(g.Rows) > 0 {
		s.Groups = append(s.Groups, g)
	}
	return s
}

// isolationRow says what isolation buys: who outlives a crash.
func (r *Report) isolationRow() (row Row, ok bool) {
	l := whole("crash")
	processes := sampleRounds(r.trialsOf(l, Processes), outlived())
	threads := sampleRounds(r.trialsOf(l, Threads), outlived())
	if len(processes.values) == 0 || len(threads.values) == 0 {
		return nil, false
	}
	live := func(s rounds) float64 { return s.summary().Center }
	favoured, by := "neither", fmt.Sprintf("%s live on", Of(live(processes), Share))
	switch p, t := live(processes), live(threads); {
	case p > t:
		favoured = string(Processes)
		by = fmt.Sprintf("%s against %s live on", Of(p, Share), Of(t, Share))
	case p < t:
		favoured = string(Threads)
		by = fmt.Sprintf("%s against %s live on", Of(t, Share), Of(p, Share))
	}
	return Row{textCell("outliving a crash"), textCell(l.title()), textCell(favoured), textCell(by), textCell("what it buys")}, true
}

// words returns a favour's cells: the mode, by how much, and what isolation costs.
func (f *favour) words() (favoured string, by Cell, price string) {
	switch {
	case !f.decided:
		return "undecided", textCell("~"), "not known"
	case f.mode == "":
		return "neither", textCell("~"), "nothing measurable"
	}
	by = f.by.cell()
	if f.mode == Processes {
		return string(f.mode), by, "nothing: it pays"
	}
	ratio := f.by.center
	if f.metric.name == throughput().name {
		return string(f.mode), by, fmt.Sprintf("%s of the operations", Of(100*(1-1/ratio), Share))
	}
	return string(f.mode), by, fmt.Sprintf("%s more waiting", Of(100*(ratio-1), Share))
}
