package table

import (
	"iter"
	"math"
	"slices"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/histogram"
	"github.com/slicetrace/slicetrace/report/metric"
	"github.com/slicetrace/slicetrace/report/sched"
)

// coreTimeTable has one row per trial and core: the times that the table cores repeats on the row
// of each class, so that they can be added up here, and the waits of workers that were switched in
// on the core. The run queue is known for a watched system only: queue_task_ns ÷ queue_observed_ns is
// its mean length, the running task included. So are the migrations to the core.
func coreTimeTable(r *report.Report) Table {
	columns := columnList(trialColumns + `core wall_ns idle_ns workers_ns others_ns self_ns steal_ns interrupt_ns
		ticks busy_ticks switches
		wait_count wait_sum_ns wait_p50_ns wait_p90_ns wait_p99_ns wait_max_ns` + plainColumns +
		" queue_task_ns queue_observed_ns queue_max" +
		" migrations_sibling migrations_cache migrations_node migrations_remote migrations_woken")
	return Table{Name: "core_times", Columns: columns, Rows: func(yield func([]Field) bool) {
		for trial, core := range everyCore(r) {
			var switches uint64
			for i := range core.Classes {
				switches += core.Classes[i].Switches
			}
			w := core.Wait
			row := append(trial.first(), Whole(core.CPU),
				Whole(core.WallNS), Whole(core.IdleNS), Whole(core.WorkersNS), Whole(core.OthersNS),
				Whole(core.SelfNS), Whole(core.StealNS), Whole(core.InterruptNS),
				known(core.Ticks), known(core.BusyTicks), Whole(switches),
				Whole(w.Count), sumField(w), quantileField(w, 0.5), quantileField(w, 0.9), quantileField(w, 0.99),
				maxField(w))
			if !yield(slices.Concat(row, trial.last(),
				queueFields(trial.Trial, core.CPU), arrivalFields(trial.Trial, core.CPU))) {
				return
			}
		}
	}}
}

// queueFields are all absent if the run queue of the core is not known.
func queueFields(t *report.Trial, cpu sched.CPU) []Field {
	if t.System != nil {
		for _, q := range t.System.Queues {
			if q.CPU == cpu {
				return []Field{Whole(q.TaskNS), Whole(q.ObservedNS), Whole(int64(q.Max))}
			}
		}
	}
	return []Field{absent(), absent(), absent()}
}

// arrivalFields are all absent if the migrations to the core are not known.
func arrivalFields(t *report.Trial, cpu sched.CPU) []Field {
	if t.System != nil {
		for _, a := range t.System.Arrivals {
			if a.CPU == cpu {
				return migrationFields(&a.Migrations)
			}
		}
	}
	return []Field{absent(), absent(), absent(), absent(), absent()}
}

// addTimes adds the times of another core.
func addTimes(c *report.Core, o *report.Core) {
	c.WallNS += o.WallNS
	c.IdleNS += o.IdleNS
	c.WorkersNS += o.WorkersNS
	c.OthersNS += o.OthersNS
	c.SelfNS += o.SelfNS
	c.StealNS += o.StealNS
	c.InterruptNS += o.InterruptNS
}

// figureTable has one row per trial and figure that the workload itself measured. The figure's name
// ends with its unit; without a unit it is a count.
func figureTable(r *report.Report) Table {
	columns := columnList(trialColumns + "name:text value" + plainColumns)
	return Table{Name: "figures", Columns: columns, Rows: func(yield func([]Field) bool) {
		for trial := range numberedTrials(r) {
			for _, f := range trial.Figures {
				row := append(trial.first(), FreeText(f.Name), Whole(f.Value))
				if !yield(append(row, trial.last()...)) {
					return
				}
			}
		}
	}}
}

// histogramTable has one row per occupied bucket of each histogram: count is the number of values
// from low_ns to below high_ns. what is pick, switch and cost for a class of switch, slice for a
// reason why slices ended, wait for a core; created_start, created_run and created_end are for a
// trial, and have no core; group_wait and group_slice are for a control group of a watched system, in
// steps of half an octave, and have no core either.
//
// Sums and longest values, which buckets only give to their width, are in the tables cores, slices
// and core_times.
func histogramTable(r *report.Report) Table {
	columns := columnList(trialColumns + "core class:name ended_by:name what:text low_ns high_ns count" +
		plainColumns + " group_id")
	return Table{Name: "histograms", Columns: columns, Rows: func(yield func([]Field) bool) {
		for trial := range numberedTrials(r) {
			first, last := trial.first(), trial.last()
			for of, h := range histograms(trial.Trial) {
				for bucket, n := range h.Buckets() {
					low, high := histogram.BucketBounds(bucket)
					row := append(first[:len(first):len(first)],
						of.core, FreeText(string(of.class)), FreeText(string(of.endedBy)), FreeText(of.what),
						Whole(min(low, math.MaxInt64)), Whole(min(high, math.MaxInt64)), Whole(n))
					if !yield(append(append(row, last...), of.group)) {
						return
					}
				}
			}
		}
	}}
}

// histogramOf says what a histogram of a trial is about.
type histogramOf struct {
	core    Field // absent for a whole trial
	group   Field // absent for what is not of a control group
	class   report.Class
	endedBy report.EndedBy
	what    string
}

// histograms returns every histogram of a trial.
func histograms(t *report.Trial) iter.Seq2[histogramOf, histogram.Histogram] {
	return func(yield func(histogramOf, histogram.Histogram) bool) {
		for i := range t.Cores {
			c := &t.Cores[i]
			core := Whole(c.CPU)
			for _, s := range c.Classes {
				if !yield(histogramOf{core: core, class: s.Class, what: "pick"}, s.Pick) ||
					!yield(histogramOf{core: core, class: s.Class, what: "switch"}, s.Switch) ||
					!yield(histogramOf{core: core, class: s.Class, what: "cost"}, s.Cost) {
					return
				}
			}
			for _, s := range c.Slices {
				if !yield(histogramOf{core: core, endedBy: s.EndedBy, what: "slice"}, s.Length) {
					return
				}
			}
			if !yield(histogramOf{core: core, what: "wait"}, c.Wait) {
				return
			}
		}
		if c := t.Created; c != nil {
			if !yield(histogramOf{what: "created_start"}, c.Start) ||
				!yield(histogramOf{what: "created_run"}, c.Run) ||
				!yield(histogramOf{what: "created_end"}, c.End) {
				return
			}
		}
		if t.System == nil {
			return
		}
		for _, g := range metric.Gather([]*report.Trial{t}).Groups {
			if !yield(histogramOf{group: Whole(g.ID), what: "group_wait"}, g.Waits()) ||
				!yield(histogramOf{group: Whole(g.ID), what: "group_slice"}, g.Slices()) {
				return
			}
		}
	}
}
