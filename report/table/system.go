package table

import (
	"iter"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
)

// activityColumns are what a task, process or group did in an interval. waits and switches are
// numbers of waits and of slices that ended. Distributions are kept in steps of half an octave, and
// so are their quantiles; wait_ns and wait_max_ns are exact.
const activityColumns = ` on_cpu_ns waits wait_ns wait_p50_ns wait_p99_ns wait_max_ns
	switches voluntary involuntary
	slices_blocked slices_exited slices_tick slices_wakeup slices_yield slices_other slices_throttled
	slice_p50_ns slice_p99_ns migrations
	migrations_sibling migrations_cache migrations_node migrations_remote migrations_woken throttled_ns`

func activityFields(s *metric.ActivitySum) []Field {
	waits, slices, m := s.Waits(), s.Slices(), s.Migrations
	row := []Field{
		Whole(s.OnCPUNS), Whole(waits.Count), Whole(s.WaitNS),
		quantileField(waits, 0.5), quantileField(waits, 0.99), maxField(waits),
		Whole(s.Switches()), Whole(s.Voluntary()), Whole(s.Involuntary()),
	}
	for _, cause := range report.Causes() {
		row = append(row, Whole(*s.EndedBy.At(cause)))
	}
	row = append(row, quantileField(slices, 0.5), quantileField(slices, 0.99), Whole(m.Total()))
	return append(append(row, migrationFields(&m)...), Whole(s.ThrottledNS))
}

func migrationFields(m *report.MigrationCounts) []Field {
	return []Field{Whole(m.Sibling), Whole(m.Cache), Whole(m.Node), Whole(m.Remote), Whole(m.Woken)}
}

// watchedTrial is an interval of a watch, with the names of its groups.
type watchedTrial struct {
	numbered
	groups map[uint64]string
}

// watchedTrials returns every interval of a watch.
func watchedTrials(r *report.Report) iter.Seq[watchedTrial] {
	return func(yield func(watchedTrial) bool) {
		for t := range numberedTrials(r) {
			if t.System == nil {
				continue
			}
			if !yield(watchedOf(t)) {
				return
			}
		}
	}
}

// watchedOf finds the names of the groups of an interval.
func watchedOf(t numbered) watchedTrial {
	return watchedTrial{t, groupNames(t.System)}
}

// groupNames are the names of groups by their numbers; there are none if s is nil.
func groupNames(s *report.System) map[uint64]string {
	names := map[uint64]string{}
	if s != nil {
		for i := range s.Groups {
			names[s.Groups[i].ID] = s.Groups[i].Name
		}
	}
	return names
}

// sums adds up the interval's tasks.
func (t watchedTrial) sums() *metric.Watched { return metric.Gather([]*report.Trial{t.Trial}) }

// groupFields are the number and the name of a group.
func (t watchedTrial) groupFields(id uint64) []Field {
	return []Field{Whole(id), FreeText(t.groups[id])}
}

// groupTable has one row per interval and control group: its tasks, and those that began and ended
// within the interval, without those of the groups below it. quota_throttled and
// quota_throttled_ns are what the kernel counts for the group's own quota, added up over cores;
// throttled_ns is what its tasks were kept from running.
func groupTable(r *report.Report) Table {
	columns := columnList(trialColumns + "group_id group_name:text group_kind:text group_path:text tasks ended_tasks" +
		activityColumns + " quota_throttled quota_throttled_ns pressure_some_ns pressure_full_ns" + plainColumns)
	return Table{Name: "groups", Columns: columns, Rows: func(yield func([]Field) bool) {
		for trial := range watchedTrials(r) {
			for _, g := range trial.sums().Groups {
				row := append(trial.first(), trial.groupFields(g.ID)...)
				row = append(row, FreeText(g.Kind), FreeText(g.Path), Whole(g.Tasks), Whole(g.Ended))
				row = append(append(row, activityFields(&g.ActivitySum)...), throttlingFields(g.Throttling)...)
				if p := g.Pressure; p != nil {
					row = append(row, Whole(p.SomeNS), Whole(p.FullNS))
				} else {
					row = append(row, absent(), absent())
				}
				if !yield(append(row, trial.last()...)) {
					return
				}
			}
		}
	}}
}

// processTable has one row per interval and process, in the order in which they were first seen, and
// after them one for each group and name of tasks that began and ended within the interval: it has
// no pid, since tasks of several processes may be in it. tasks is how many a row adds up.
func processTable(r *report.Report) Table {
	columns := columnList(trialColumns + `pid process:text uid kernel_thread:boolean group_id group_name:text tasks` +
		activityColumns + plainColumns)
	return Table{Name: "processes", Columns: columns, Rows: func(yield func([]Field) bool) {
		for trial := range watchedTrials(r) {
			for _, p := range trial.sums().Processes {
				row := append(trial.first(), Whole(p.PID), FreeText(p.Name), Whole(int64(p.UID)), Truth(p.Kernel))
				row = append(append(row, trial.groupFields(p.Group)...), Whole(p.Tasks))
				row = append(row, activityFields(&p.ActivitySum)...)
				if !yield(append(row, trial.last()...)) {
					return
				}
			}
			for i := range trial.System.Ended {
				e := &trial.System.Ended[i]
				row := append(trial.first(), absent(), FreeText(e.Comm), absent(), absent())
				row = append(append(row, trial.groupFields(e.Group)...), Whole(e.Tasks))
				row = append(row, activityFields(oneInterval(&e.Activity))...)
				if !yield(append(row, trial.last()...)) {
					return
				}
			}
		}
	}}
}

// taskTable has one row per interval and task, in the order in which they were first seen, and after
// them one for each group and name of tasks that began and ended within the interval: merged is how
// many these are, and 0 in the row of a single task. waiting_ns is a wait that is still under way.
func taskTable(r *report.Report) Table { return tasksOf(watchedTrials(r)) }

// TasksOfInterval is the table tasks with the rows of one interval alone, which has a number from 1.
func TasksOfInterval(t *report.Trial, number int) Table {
	return tasksOf(func(yield func(watchedTrial) bool) { yield(watchedOf(numbered{t, number})) })
}

func tasksOf(trials iter.Seq[watchedTrial]) Table {
	columns := columnList(trialColumns + `pid tid comm:text process:text uid kernel_thread:boolean
		group_id group_name:text born:boolean exited:boolean merged` + activityColumns + plainColumns + " waiting_ns")
	return Table{Name: "tasks", Columns: columns, Rows: func(yield func([]Field) bool) {
		for trial := range trials {
			for i := range trial.System.Tasks {
				task := &trial.System.Tasks[i]
				row := append(trial.first(), Whole(task.PID), Whole(task.TID), FreeText(task.Comm),
					FreeText(task.Process), Whole(int64(task.UID)), Truth(task.Kernel))
				row = append(row, trial.groupFields(task.Group)...)
				row = append(row, Truth(task.Born), Truth(task.Exited), Whole(0))
				row = append(row, activityFields(oneInterval(&task.Activity))...)
				if !yield(append(append(row, trial.last()...), positiveField(task.WaitingNS))) {
					return
				}
			}
			for i := range trial.System.Ended {
				e := &trial.System.Ended[i]
				row := append(trial.first(), absent(), absent(), FreeText(e.Comm), absent(), absent(), absent())
				row = append(row, trial.groupFields(e.Group)...)
				row = append(row, Truth(true), Truth(true), Whole(e.Tasks))
				row = append(row, activityFields(oneInterval(&e.Activity))...)
				if !yield(append(append(row, trial.last()...), absent())) {
					return
				}
			}
		}
	}}
}

func oneInterval(a *report.Activity) *metric.ActivitySum {
	var s metric.ActivitySum
	s.Add(a, 0)
	return &s
}
