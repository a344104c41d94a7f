package view

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/internal/words"
	"github.com/slicetrace/slicetrace/report/metric"
)

// classSection shows the switches of each class on all cores, and what they cost.
func (w *watch) classSection() Section {
	s := Section{
		Title: "Switches",
		Caption: "All switches of all cores, whichever tasks are watched. " +
			"Cost = pick (choose the next task) + switch (change to it).",
		Columns: append([]Column{textColumn("switch")},
			columns("a second", "share", "timed", "pick p50", "switch p50", "cost p50", "cost p99", "core time")...),
	}
	var g Group
	timed := uint64(0)
	for _, class := range report.Classes() {
		c := allCores(switchesByCore(w.trials, class)).stats
		if c.Switches == 0 {
			continue
		}
		timed += c.Cost.Count
		g.Rows = append(g.Rows, Row{
			textCell(classLabel(class)), w.count(c.Switches), valueCell(w.all.ClassShare(class)),
			valueCell(ofCount(c.Cost.Count)), valueCell(metric.Quantile(c.Pick, 0.5)),
			valueCell(metric.Quantile(c.Switch, 0.5)), valueCell(metric.Quantile(c.Cost, 0.5)),
			valueCell(metric.Quantile(c.Cost, 0.99)), w.switchingCell(c),
		})
	}
	if len(g.Rows) == 0 {
		return s
	}
	g.Rows = append(g.Rows, Row{
		textCell("all"), w.count(w.all.Switches()), valueCell(w.all.ClassShare(report.Classes()...)),
		valueCell(ofCount(timed)), {}, {}, {}, {}, valueCell(w.all.SwitchingShare()),
	})
	s.Groups = []Group{g}
	s.Notes = []string{w.timedNote(timed)}
	return s
}

// switchingCell estimates the share of core time that switches of a class took.
func (w *watch) switchingCell(c report.ClassStats) Cell {
	mean, ok := metric.MeanCostOf(w.trials, c.Class)
	if !ok || w.all.WallNS <= 0 {
		return Cell{Value: report.Quantity{Unit: report.Percent}}
	}
	cell := valueCell(percent(float64(c.Switches)*mean.NS, float64(w.all.WallNS)))
	if mean.ReachNS > 0 {
		cell.Spread = spread(mean.NS, mean.NS-mean.ReachNS, mean.NS+mean.ReachNS)
	}
	return cell
}

// timedNote says when the phases of switches were timed, and what follows from that.
func (w *watch) timedNote(timed uint64) string {
	if timed == 0 {
		return "No switch was timed, so their cost is not known."
	}
	var ns int64
	intervals := 0
	for _, t := range w.trials {
		if t.System.PhaseNS > 0 {
			ns, intervals = ns+t.System.PhaseNS, intervals+1
		}
	}
	when := ""
	if ns > 0 {
		when = fmt.Sprintf("Phases were timed for %s in all, in %d of %s. ",
			report.Of(float64(ns), report.Nanoseconds), intervals, words.Plural(w.Intervals, "interval"))
	}
	return when + "Core time is the number of switches times the mean cost of the timed ones, ± its 95 % interval " +
		"if three intervals have such switches; an interval of the watch counts as one sample."
}

// coreSection shows what each core did.
func (w *watch) coreSection() Section {
	s := Section{
		Title: "Cores",
		Caption: "Thread, process and kernel are shares of the switches; the others are to or from idle. " +
			"Core time is that of switches. The run queue includes the running task. " +
			"Waits are those of watched tasks that got the core.",
		Columns: columns("\ncore", "switches\na second", "of these\nthread", "process", "kernel", "cost\np50", "p99",
			"core\ntime", "busy", "run queue\nmean", "max", "wait\np50", "p99"),
	}
	if len(w.each) == 0 {
		return s
	}
	g := Group{Rows: []Row{w.coreRow("all", &w.all)}}
	shown := w.each
	if len(shown) > manyCores {
		shown = slices.SortedStableFunc(slices.Values(w.each), func(a, b metric.CoreSum) int {
			return cmp.Compare(b.Wait.SumNS, a.Wait.SumNS)
		})[:manyCores]
		s.Notes = []string{fmt.Sprintf("Shown are the cores for which tasks waited most; "+
			"%d more cores in: slicetrace export REPORT --table core_times", len(w.each)-manyCores)}
	}
	for i := range shown {
		g.Rows = append(g.Rows, w.coreRow(strconv.Itoa(int(shown[i].CPU)), &shown[i]))
	}
	s.Groups = []Group{g}
	return s
}

func (w *watch) coreRow(name string, c *metric.CoreSum) Row {
	cost := c.Cost()
	passed := w.PassedNS
	if c.CPU >= 0 {
		passed = c.PassedNS
	}
	most := report.Maybe(float64(c.Queue.Max), c.Queue.ObservedNS > 0, report.Count)
	return Row{
		textCell(name), perSecond(metric.Rate(c.Switches(), passed)), valueCell(c.ClassShare(report.ClassThread)),
		valueCell(c.ClassShare(report.ClassProcess)), valueCell(c.ClassShare(report.ClassKernel)),
		valueCell(metric.Quantile(cost, 0.5)), valueCell(metric.Quantile(cost, 0.99)),
		valueCell(c.SwitchingShare()), valueCell(c.Busy()), valueCell(c.QueueMean()), valueCell(most),
		valueCell(metric.Quantile(c.Wait, 0.5)), valueCell(metric.Quantile(c.Wait, 0.99)),
	}
}
