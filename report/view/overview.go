package view

import (
	"fmt"
	"slices"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

// Overview computes the most important parts of a report: for bundled workloads the figures that
// matter and what they mean, for a watched system what stands out. For a command that ran
// once it is the same as Summarize.
func Overview(r *report.Report) *Summary {
	if isWatch(r) {
		w := newWatch(r, false)
		return summaryOf(r, w.subject(), w.sections())
	}
	if byRounds(r) {
		return summaryOf(r, subject(r), []Section{commandSection(r), stackSection(r, false), trustDigest(r)})
	}
	if len(metric.BundledModes(r)) == 0 {
		return Summarize(r)
	}
	pairs := newPairs(r, false)
	return summaryOf(r, subject(r), []Section{
		newSwitchTable(r, true).section(), workSection(r), costSection(r), cacheRefillSection(r), waitSection(r),
		stackSection(r, false), pairs.takenSection(), pairs.wokenSection(),
		findingSection(r, true), choiceSection(r), trustDigest(r),
	})
}

// workSection shows how much work each workload got done.
func workSection(r *report.Report) Section {
	t := newOverviewTable(r, "Work done", "Medians over rounds. The ratio is processes ÷ threads within a round, "+
		"with its 95 % interval (± the wider side, or its ends); "+
		"~ means that the rounds show no difference (signed-rank test, p > 0.05). "+
		"Parallelism is how many workers ran at once.")
	t.compare("operations", metric.Throughput(), true)
	t.show("parallelism", metric.Parallelism())
	t.s.Notes = tooFewRounds(r, t.notes)
	return t.section()
}

// muchSwitching is the percentage of core time above which a workload's switches are shown.
const muchSwitching = 2

// costSection shows the cost of the workloads' own switches, on all cores together.
func costSection(r *report.Report) Section {
	t := newOverviewTable(r, "Switches of each workload", fmt.Sprintf("Workloads in which switches of any kind take "+
		"at least %d %% of core time; -vv shows all.", muchSwitching))
	t.of(slices.DeleteFunc(t.loads, func(l metric.Load) bool { return !anyMode(r, l, switchesMuch) }))
	t.compare("switch phase p50", metric.SwitchP50(), false)
	t.compare("cost p50", metric.CostP50(), false)
	t.show("core time", metric.SwitchingTime())
	return t.section()
}

// switchesMuch reports whether switches took at least muchSwitching percent of core time.
func switchesMuch(t *report.Trial) bool {
	share, ok := t.SwitchingShare()
	return ok && 100*share >= muchSwitching
}

// waitsMuch reports whether workers waited for a core longer than they had one.
func waitsMuch(t *report.Trial) bool {
	ran, ok := t.Parallelism()
	held, known := t.Concurrency()
	return ok && known && held > 2*ran
}

// anyMode reports whether has is true for most of a load's trials in any of its modes.
func anyMode(r *report.Report, l metric.Load, has func(*report.Trial) bool) bool {
	return slices.ContainsFunc(l.Modes, func(m report.Mode) bool {
		trials, n := metric.TrialsOf(r, l, m), 0
		for _, t := range trials {
			if has(t) {
				n++
			}
		}
		return 2*n > len(trials)
	})
}

// waitSection shows how long workers kept a core and waited for it.
func waitSection(r *report.Report) Section {
	t := newOverviewTable(r, "Time slices and waits", "Workloads whose workers waited for a core longer "+
		"than they had one: medians over rounds, and the longest wait of all rounds. "+
		"Concurrency is how many workers ran or waited.")
	t.of(slices.DeleteFunc(t.loads, func(l metric.Load) bool { return !anyMode(r, l, waitsMuch) }))
	t.show("slice p50", metric.SliceP50())
	t.column("mostly ended by", true, func(l metric.Load) Cell {
		var trials []*report.Trial
		for _, m := range l.Modes {
			trials = append(trials, metric.TrialsOf(r, l, m)...)
		}
		_, causes := metric.SliceLengths(trials)
		return causeCell(causes, 1)
	})
	t.show("longest wait", metric.LongestWait())
	t.show("concurrency", metric.Concurrency())
	return t.section()
}

// overviewTable builds a table with a row for each load and columns for each metric and mode.
type overviewTable struct {
	report *report.Report
	modes  []report.Mode
	loads  []metric.Load
	notes  map[string]bool
	s      Section
	cells  []Row
}

func newOverviewTable(r *report.Report, title, caption string) *overviewTable {
	t := &overviewTable{report: r, modes: metric.BundledModes(r), notes: map[string]bool{}}
	t.s = Section{Title: title, Caption: caption}
	t.of(slices.DeleteFunc(metric.Loads(r), shownElsewhere))
	return t
}

// shownElsewhere reports whether a load has a section or a finding of its own, or only serves as a
// reference for a finding.
func shownElsewhere(l metric.Load) bool {
	switch l.Title() {
	case "spin alone", "sleep one", "crash":
		return true
	}
	return metric.OfWorkingSet(l)
}

// of starts the table again with a row for each of the loads.
func (t *overviewTable) of(loads []metric.Load) {
	t.loads, t.cells, t.s.Columns = loads, make([]Row, len(loads)), nil
	t.column("workload", true, func(l metric.Load) Cell { return textCell(l.Title()) })
}

func (t *overviewTable) column(name string, text bool, of func(metric.Load) Cell) {
	t.s.Columns = append(t.s.Columns, Column{Name: name, Text: text})
	for i, l := range t.loads {
		t.cells[i] = append(t.cells[i], of(l))
	}
}

// show adds a metric's median in each mode.
func (t *overviewTable) show(name string, m metric.Metric) {
	for i, mode := range t.modes {
		heading := string(mode)
		if i == 0 {
			heading = name + "\n" + heading
		}
		t.column(heading, false, func(l metric.Load) Cell {
			c := medianCell(metric.Sample(metric.TrialsOf(t.report, l, mode), m), t.notes)
			c.Spread = report.Quantity{} // the ratio's is enough here; Summarize has both
			return c
		})
	}
}

// compare adds a metric in each mode and, if there are two, their ratio, with its interval if
// spread is true.
func (t *overviewTable) compare(name string, m metric.Metric, spread bool) {
	t.show(name, m)
	if len(t.modes) < 2 {
		return
	}
	t.column("ratio", false, func(l metric.Load) Cell {
		processes := metric.Sample(metric.TrialsOf(t.report, l, report.Processes), m)
		threads := metric.Sample(metric.TrialsOf(t.report, l, report.Threads), m)
		c := compareCells(processes, threads, t.notes)[0]
		if !spread {
			c.Spread, c.Low, c.High = report.Quantity{}, report.Quantity{}, report.Quantity{}
		}
		return c
	})
}

func (t *overviewTable) section() Section {
	if len(t.cells) > 0 {
		t.s.Groups = []Group{{Rows: t.cells}}
	}
	return t.s
}
