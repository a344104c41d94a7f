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

// How many rows the sections of a watch have for each order of tasks, and for groups and processes:
// at first, and with every figure.
const (
	fewTasks, manyTasks   = 3, 10
	fewGroups, manyGroups = 8, 20
)

// watch is a watched system, with the sums that its sections show.
type watch struct {
	*metric.Watched
	report *report.Report
	trials []*report.Trial
	all    metric.CoreSum
	each   []metric.CoreSum
	names  map[uint64]string // of groups
	full   bool
}

// isWatch reports whether a report is of a watched system.
func isWatch(r *report.Report) bool {
	return len(metric.BundledModes(r)) == 0 && (r.Setup.Watch != nil || len(metric.SystemTrials(r)) > 0)
}

// newWatch adds up a watch. If full is true, its sections have more rows.
func newWatch(r *report.Report, full bool) *watch {
	w := &watch{report: r, trials: metric.SystemTrials(r), names: map[uint64]string{}, full: full}
	w.Watched = metric.Gather(w.trials)
	w.all, w.each = metric.SumCores(w.trials)
	for _, g := range w.Groups {
		w.names[g.ID] = cmp.Or(g.Name, g.Path, "group "+strconv.FormatUint(g.ID, 10))
	}
	return w
}

// sections are those of the first screen or, if w.full is true, all of them.
func (w *watch) sections() []Section {
	pairs := newPairs(w.report, w.full)
	list := []Section{
		w.remarkableSection(), w.classSection(), w.coreSection(), w.groupSection(), w.processSection(),
		w.taskSection(), stackSection(w.report, w.full), pairs.takenSection(), pairs.wokenSection(), w.timeSection(),
	}
	if !w.full {
		return append(list, trustDigest(w.report))
	}
	return append(list, newSwitchTable(w.report, false).section(), sliceSection(w.report), trustSection(w.report))
}

// page has all sections as exhibits.
func (w *watch) page(p *Page) {
	costs := newSwitchTable(w.report, false)
	p.show("remarkable", w.remarkableSection(), nil)
	p.show("switches", w.classSection(), nil)
	p.show("cost", costs.section(), costs.chart())
	p.show("cores", w.coreSection(), nil)
	p.show("groups", w.groupSection(), nil)
	p.show("processes", w.processSection(), nil)
	p.show("tasks", w.taskSection(), nil)
	p.show("stacks", stackSection(w.report, false), nil)
	newPairs(w.report, false).exhibits(p)
	p.show("time", w.timeSection(), nil)
	p.show("slices", sliceSection(w.report), nil)
	p.show("distributions", distributionSection(w.report), nil)
}

// headline states how busy the system was, how often it switched and how long its tasks waited.
func (w *watch) headline() (string, []Part) {
	if w.Intervals == 0 {
		return "Nothing is known: no interval of the watch ended.", nil
	}
	passed := report.Of(float64(w.PassedNS), report.Nanoseconds)
	rate, busy := w.rate(w.all.Switches()), w.all.Busy()
	parts := []Part{{"watched", passed}, {"busy", busy}, {"switches", rate}}
	if share := w.all.SwitchingShare(); share.Known {
		parts = append(parts, Part{"of core time in switches", share})
	}
	sentence := fmt.Sprintf("For %s, %s were busy %s of their time and switched %s", passed,
		words.Plural(len(w.each), "core"), busy, rate)
	if wait := metric.Quantile(w.all.Wait, 0.99); wait.Known {
		parts = append(parts, Part{"wait for a core, p99", wait})
	}
	if longest := w.Total.WaitMaxNS; longest > 0 {
		q := report.Of(float64(longest), report.Nanoseconds)
		parts = append(parts, Part{"longest wait", q})
		sentence += fmt.Sprintf("; the longest wait for a core was %s", q)
	}
	return sentence + ".", parts
}

// subject says what was watched, how long and how often.
func (w *watch) subject() []Part {
	var out []Part
	if asked := w.report.Setup.Watch; asked != nil {
		out = append(out, Part{Label: words.Short(asked.String())})
	}
	out = append(out, Part{Label: "watched", Value: report.Of(float64(w.PassedNS), report.Nanoseconds)},
		Part{Label: words.Plural(w.Intervals, "interval")})
	if n := len(w.Tasks); n > 0 {
		out = append(out, Part{Label: words.Plural(n, "task")})
	}
	if w.Ended > 0 {
		out = append(out, Part{Label: ofCount(w.Ended).String() + " short-lived"})
	}
	return out
}

// rate is how often something happened, per second of the watch.
func (w *watch) rate(n uint64) report.Quantity { return metric.Rate(n, w.PassedNS) }

// count is a rate below a heading that says so.
func (w *watch) count(n uint64) Cell { return perSecond(w.rate(n)) }

func perSecond(rate report.Quantity) Cell {
	rate.Unit = report.Count
	return valueCell(rate)
}

// share is a part of the time of the watch.
func (w *watch) share(ns int64) report.Quantity { return metric.TimeShare(ns, w.PassedNS) }

// timeSection shows how the whole system's figures varied from interval to interval.
func (w *watch) timeSection() Section {
	s := Section{
		Title: "From interval to interval",
		Caption: "Figures of single intervals, and the interval with the greatest. " +
			"Neighbouring intervals are alike, so they are no independent samples, and there is no ±.",
		Columns: append([]Column{textColumn("metric")}, columns("least", "median", "greatest", "in interval")...),
	}
	if w.Intervals < 2 {
		return Section{Title: s.Title}
	}
	var g Group
	for _, m := range []metric.Metric{
		metric.Busy(), metric.SwitchRate(), metric.SwitchingTime(), metric.InvoluntaryRate(), metric.MigrationRate(),
		metric.QueueMean(), metric.Parallelism(), metric.Concurrency(), metric.WaitMean(), metric.WaitP99(),
		metric.LongestWait(), metric.ThrottledShare(),
	} {
		values := metric.Sample(w.trials, m)
		if len(values.Values) == 0 || slices.Max(values.Values) == 0 {
			continue
		}
		greatest := slices.Max(values.Values)
		median := values.Summary().Center
		g.Rows = append(g.Rows, Row{
			textCell(m.Name), valueCell(report.Of(slices.Min(values.Values), values.Unit)),
			valueCell(report.Of(median, values.Unit)), valueCell(report.Of(greatest, values.Unit)),
			valueCell(ofCount(values.Round[slices.Index(values.Values, greatest)])),
		})
	}
	if len(g.Rows) > 0 {
		s.Groups = []Group{g}
	}
	return s
}
