package view

import (
	"fmt"
	"slices"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

// Overview computes what a reader of the report wants to see first: of bundled
// work the figures that matter and what they mean. A command's is Summarize.
func Overview(r *report.Report) *Summary {
	if len(metric.BundledModes(r)) == 0 {
		return Summarize(r)
	}
	return summaryOf(r, []Section{
		switchSection(r, true), workSection(r), costSection(r), aftermathSection(r), waitSection(r),
		findingSection(r, true), choiceSection(r), trustDigest(r),
	})
}

// workSection shows what each workload got done.
func workSection(r *report.Report) Section {
	b := newBrief(r, "Work done", "Medians over rounds. Ratio: processes ÷ threads in the same round, not of medians, ± the wider side of its 95 % interval or its ends; "+
		"~ where the signed-rank test sees no difference (p > 0.05). Parallelism is how many workers ran at once.")
	b.compare("operations", metric.Throughput(), true)
	b.show("parallelism", metric.Parallelism())
	b.s.Notes = tooFewRounds(r, b.notes)
	return b.section()
}

// muchSwitching is the percentage of core time from which on a workload's switches
// are worth a line.
const muchSwitching = 2

// costSection shows what workloads' own switches cost, on all cores together.
func costSection(r *report.Report) Section {
	b := newBrief(r, "Switches of each workload", fmt.Sprintf("Where at least %d %% of core time goes into switches of any kind; all with --verbose.", muchSwitching))
	b.of(slices.DeleteFunc(b.loads, func(l metric.Load) bool { return !anyMode(r, l, switchesMuch) }))
	b.compare("switch phase p50", metric.SwitchP50(), false)
	b.compare("cost p50", metric.CostP50(), false)
	b.show("core time", metric.SwitchingTime())
	return b.section()
}

// switchesMuch reports whether at least muchSwitching percent of core time went into switches.
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

// anyMode reports whether most of a load's trials in one of its modes have a property.
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
	b := newBrief(r, "Time slices and waits", "Medians over rounds, where workers waited for a core longer than they had one; but the longest wait is that of all rounds. Concurrency: how many ran or waited.")
	b.of(slices.DeleteFunc(b.loads, func(l metric.Load) bool { return !anyMode(r, l, waitsMuch) }))
	b.show("slice p50", metric.SliceP50())
	b.column("mostly ended by", true, func(l metric.Load) Cell {
		var trials []*report.Trial
		for _, m := range l.Modes {
			trials = append(trials, metric.TrialsOf(r, l, m)...)
		}
		_, causes := metric.SliceLengths(trials)
		return causeCell(causes, 1)
	})
	b.show("longest wait", metric.LongestWait())
	b.show("concurrency", metric.Concurrency())
	return b.section()
}

// brief builds a table with a row for each load and columns for each metric and mode.
type brief struct {
	report *report.Report
	modes  []report.Mode
	loads  []metric.Load
	notes  map[string]bool
	s      Section
	cells  []Row
}

func newBrief(r *report.Report, title, caption string) *brief {
	b := &brief{report: r, modes: metric.BundledModes(r), notes: map[string]bool{}}
	b.s = Section{Title: title, Caption: caption}
	b.of(slices.DeleteFunc(metric.Loads(r), shownElsewhere))
	return b
}

// shownElsewhere reports whether a load has a section or a finding of its own, or
// is there for a finding to compare with.
func shownElsewhere(l metric.Load) bool {
	switch l.Title() {
	case "spin alone", "sleep one", "crash":
		return true
	}
	return metric.OfWorkingSet(l)
}

// of begins the table anew with a row for each of the loads.
func (b *brief) of(loads []metric.Load) {
	b.loads, b.cells, b.s.Columns = loads, make([]Row, len(loads)), nil
	b.column("workload", true, func(l metric.Load) Cell { return textCell(l.Title()) })
}

func (b *brief) column(name string, text bool, of func(metric.Load) Cell) {
	b.s.Columns = append(b.s.Columns, Column{Name: name, Text: text})
	for i, l := range b.loads {
		b.cells[i] = append(b.cells[i], of(l))
	}
}

// show adds a metric's median in each mode.
func (b *brief) show(name string, m metric.Metric) {
	for i, mode := range b.modes {
		heading := string(mode)
		if i == 0 {
			heading = name + "\n" + heading
		}
		b.column(heading, false, func(l metric.Load) Cell {
			c := medianCell(metric.Sample(metric.TrialsOf(b.report, l, mode), m), b.notes)
			c.Spread = report.Quantity{} // the ratio's says enough; Summarize has each
			return c
		})
	}
}

// compare adds a metric in each mode and, of two, their ratio, with its spread if asked.
func (b *brief) compare(name string, m metric.Metric, spread bool) {
	b.show(name, m)
	if len(b.modes) < 2 {
		return
	}
	b.column("ratio", false, func(l metric.Load) Cell {
		processes := metric.Sample(metric.TrialsOf(b.report, l, report.Processes), m)
		threads := metric.Sample(metric.TrialsOf(b.report, l, report.Threads), m)
		c := compareCells(processes, threads, b.notes)[0]
		if !spread {
			c.Spread, c.Low, c.High = report.Quantity{}, report.Quantity{}, report.Quantity{}
		}
		return c
	})
}

func (b *brief) section() Section {
	if len(b.cells) > 0 {
		b.s.Groups = []Group{{Rows: b.cells}}
	}
	return b.s
}
