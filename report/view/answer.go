package view

import (
	"fmt"
	"slices"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
	"github.com/slicetrace/slicetrace/report/stats"
)

// answer builds the table of the first screen, and the sentences below it.
type answer struct {
	report *report.Report
	modes  []report.Mode
	both   bool
	s      Section
	rows   []Row
	// few is true if there are too few rounds for an interval.
	few bool
	// lacks names what was not measured, and needs the workloads that measure it. absent names what has
	// no figures although they ran.
	lacks, needs, absent []string
}

// answerSection shows what a switch and other things cost as processes and as threads, and what that
// means.
func answerSection(r *report.Report) Section {
	t := &answer{report: r, modes: metric.BundledModes(r), few: lastRound(r) < stats.LeastPairs}
	t.both = len(t.modes) == 2
	t.s.Title = "Processes and threads on this machine"
	t.columns()
	t.switches()
	t.others()
	t.survivors()
	if len(t.rows) > 0 {
		t.s.Groups = []Group{{Rows: t.rows}}
	}
	for _, note := range []string{t.extra(), t.claims(), t.missing()} {
		if note != "" {
			t.s.Notes = append(t.s.Notes, note)
		}
	}
	return t.s
}

func (t *answer) columns() {
	t.s.Caption = "Medians over rounds."
	t.s.Columns = []Column{textColumn("")}
	for _, m := range t.modes {
		t.s.Columns = append(t.s.Columns, Column{Name: string(m)})
	}
	if !t.both {
		return
	}
	t.s.Caption = "Medians; ratios are processes ÷ threads within a round, with 95 % intervals; " +
		"~ is no difference."
	if t.few {
		t.s.Caption = fmt.Sprintf("Medians; ratios are processes ÷ threads; intervals need --rounds %d or more.",
			stats.LeastPairs)
	}
	t.s.Columns = append(t.s.Columns, Column{Name: "ratio"})
	if floor := t.floor(); floor.Known {
		t.s.Columns = append(t.s.Columns, Column{Name: fmt.Sprintf("ratio, without\n%s of hooks", floor)})
	}
}

// floor is the hook floor of the switches in the table, absent if it was not measured or there are none.
func (t *answer) floor() report.Quantity {
	for _, l := range []metric.Load{t.hot(), afterSlices(t.report)} {
		if len(l.Modes) > 0 {
			_, ns := metric.SwitchCost(t.report, l)
			return report.Maybe(ns, ns > 0, report.Nanoseconds)
		}
	}
	return report.Quantity{}
}

// loadOf returns a load with the modes that it ran in, none if it did not run.
func loadOf(r *report.Report, name, variant string) metric.Load {
	for _, l := range metric.Loads(r) {
		if l.Name == name && l.Variant == variant {
			return l
		}
	}
	return metric.Load{Name: name, Variant: variant}
}

// handOffs are the workloads that switch after a few microseconds of work, the reference first.
func handOffs() []string { return []string{"pipe", "futex", "socket", "yield", "messaging"} }

// hot is the load whose switches are the reference: caches are warm, since hardly anything runs between
// two switches.
func (t *answer) hot() metric.Load {
	for _, name := range handOffs() {
		if l := loadOf(t.report, name, ""); len(l.Modes) > 0 {
			return l
		}
	}
	return metric.Load{Name: handOffs()[0]}
}

// afterSlices is the load whose switches come after a whole time slice.
func afterSlices(r *report.Report) metric.Load { return loadOf(r, "spin", "one core") }

// samples returns a metric of a load in one mode.
func (t *answer) samples(l metric.Load, mode report.Mode, m metric.Metric) metric.Rounds {
	return metric.Sample(metric.TrialsOf(t.report, l, mode), m)
}

// add adds a row with the medians of a figure in each mode and their ratio. what names the figure where
// there is none, and workload what measures it. It reports whether there is a row.
func (t *answer) add(
	name, what, workload string, of func(report.Mode) metric.Rounds, floorNS float64,
) bool {
	row := Row{textCell(name)}
	known := false
	for _, m := range t.modes {
		s := of(m)
		c := Cell{}
		if len(s.Values) > 0 {
			c, known = valueCell(threeDigits(report.Of(s.Summary().Center, s.Unit))), true
		}
		row = append(row, c)
	}
	if !known {
		t.lack(what, workload)
		return false
	}
	if t.both {
		p, th := of(report.Processes), of(report.Threads)
		row = append(row, t.ratio(p, th))
		switch {
		case floorNS > 0:
			row = append(row, t.ratio(p.Less(floorNS), th.Less(floorNS)))
		case t.floor().Known:
			row = append(row, textCell(" "))
		}
	}
	t.rows = append(t.rows, row)
	return true
}

// ratio returns the ratio of two figures, ~ if the rounds are enough to show that there is no difference.
func (t *answer) ratio(processes, threads metric.Rounds) Cell {
	d := metric.Compare(processes, threads)
	if d.N >= stats.LeastPairs && !d.Significant() {
		return textCell("~")
	}
	return ratioCell(d)
}

// lack notes that a figure is absent.
func (t *answer) lack(what, workload string) {
	ran := slices.ContainsFunc(t.report.Trials, func(o report.Trial) bool { return o.Workload == workload })
	if ran {
		t.absent = append(t.absent, what)
		return
	}
	t.lacks = append(t.lacks, what)
	if !slices.Contains(t.needs, workload) {
		t.needs = append(t.needs, workload)
	}
}

// switches adds what a switch costs the kernel.
func (t *answer) switches() {
	hot := t.hot()
	cost, floor := metric.SwitchCost(t.report, hot)
	what := "switch"
	if cost.Name == metric.SwitchP50().Name {
		what = "switch phase"
	}
	t.add(fmt.Sprintf("%s, hot (%s)", what, hot.Title()), "the "+what, hot.Name,
		func(m report.Mode) metric.Rounds { return t.samples(hot, m, cost) }, floor)
	late := afterSlices(t.report)
	cost, floor = metric.SwitchCost(t.report, late)
	slice := sliceLength(t.report, late)
	t.add(fmt.Sprintf("%s after a %s slice", what, slice), "the "+what+" after a time slice", late.Name,
		func(m report.Mode) metric.Rounds { return t.samples(late, m, cost) }, floor)
}

// sliceLength is the median slice of a load in all its modes.
func sliceLength(r *report.Report, l metric.Load) report.Quantity {
	var trials []*report.Trial
	for _, m := range l.Modes {
		trials = append(trials, metric.TrialsOf(r, l, m)...)
	}
	length, _ := metric.SliceLengths(trials)
	return metric.Quantile(length, 0.5)
}

// others adds creating, memory, talking and computing.
func (t *answer) others() {
	ofLoad := func(name string, m metric.Metric) func(report.Mode) metric.Rounds {
		l := metric.Load{Name: name}
		return func(mode report.Mode) metric.Rounds { return t.samples(l, mode, m) }
	}
	t.add("creating and joining one", "creating", "spawn", ofLoad("spawn", metric.Creation()), 0)
	t.add("memory of one more Go worker", "memory", "scale", func(m report.Mode) metric.Rounds {
		return metric.FurtherMemory(t.report, m, metric.PSS)
	}, 0)
	talking := t.hot().Name
	if talking != "messaging" {
		t.add("hand-offs by "+talking, "hand-offs", talking, ofLoad(talking, metric.Throughput()), 0)
	}
	t.add("messages, many to many", "messages", "messaging", ofLoad("messaging", metric.Throughput()), 0)
	t.add("computing, cores shared", "computing", "spin", ofLoad("spin", metric.Throughput()), 0)
}

// survivors adds what isolation buys: how many workers survive the crash of another one, in the worst
// round.
func (t *answer) survivors() {
	row := Row{textCell("surviving another's crash")}
	known := false
	for _, m := range t.modes {
		q := fewestSurvivors(t.report, m)
		known = known || q.Known
		row = append(row, valueCell(q))
	}
	if !known {
		t.lack("crashes", "crash")
		return
	}
	for range len(t.s.Columns) - len(row) {
		row = append(row, textCell(" "))
	}
	t.rows = append(t.rows, row)
}

// typicalCosts are the costs of a switch that a headline states: hot ones or, if there are none, those
// after time slices. phase is true if they are of the switch phase only.
func typicalCosts(r *report.Report) (l metric.Load, processes, threads report.Quantity, phase bool) {
	t := &answer{report: r}
	for _, l = range []metric.Load{t.hot(), afterSlices(r)} {
		m, _ := metric.SwitchCost(r, l)
		processes = t.median(l, report.Processes, m)
		if threads = t.median(l, report.Threads, m); processes.Known || threads.Known {
			return l, processes, threads, m.Name == metric.SwitchP50().Name
		}
	}
	return l, processes, threads, false
}

func (t *answer) median(l metric.Load, mode report.Mode, m metric.Metric) report.Quantity {
	s := t.samples(l, mode, m)
	if len(s.Values) == 0 {
		return report.Quantity{Unit: s.Unit}
	}
	return report.Of(s.Summary().Center, s.Unit)
}
