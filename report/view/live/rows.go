package live

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
	"github.com/slicetrace/slicetrace/report/sched"
)

// Grouping is what a row of the table of tasks stands for.
type Grouping uint8

// The groupings, in the order in which a screen turns to the next one.
const (
	ByTask Grouping = iota
	ByProcess
	ByProgram // the name of the process
	ByGroup   // the control group
)

// Groupings returns all groupings.
func Groupings() []Grouping { return []Grouping{ByTask, ByProcess, ByProgram, ByGroup} }

func (g Grouping) String() string { return [...]string{"task", "process", "program", "group"}[g] }

// Key tells a task, or a sum of tasks, apart from others. It is comparable; the zero Key is of none.
type Key struct {
	By  Grouping
	PID sched.PID
	TID sched.TID
	// Group is the number of the control group, for those that are told apart by it.
	Group uint64
	// Name is the program, or the name of tasks that ended.
	Name string
	// Ended is true for the tasks of a name and group that were born and ended within the interval.
	Ended bool
}

// TaskOptions say which rows the table of tasks has, and in which order.
type TaskOptions struct {
	By Grouping
	// Sort is the name of a column, "" for the time on cores, the most first.
	Sort      string
	Ascending bool
	// Filter is what a row must contain in any of its names or numbers, whatever the case: one of the
	// texts between | signs.
	Filter string
	// Within leaves only tasks of one sum, unless it is the zero Key.
	Within Key
}

// row is a task, tasks that ended, or a sum of either.
type row struct {
	*report.Activity // of a sum, without distributions until fill is called
	task             *report.Task
	ended            *report.EndedTasks
	sum              *rowSum
}

// rowSum is what a row of several tasks adds up.
type rowSum struct {
	metric.ActivitySum
	activity report.Activity
	filled   bool
	key      Key
	name     string
	group    uint64
	tasks    uint64
	// waitingNS is the longest wait that is under way.
	waitingNS int64
}

// programOf names the program that a task runs.
func programOf(t *report.Task) string { return cmp.Or(t.Process, t.Comm) }

// fill adds up the distributions.
func (r *row) fill() *report.Activity {
	if s := r.sum; s != nil && !s.filled {
		s.activity.Waits, s.activity.Slices, s.filled = s.Waits(), s.Slices(), true
	}
	return r.Activity
}

func (r *row) key() Key {
	switch {
	case r.sum != nil:
		return r.sum.key
	case r.ended != nil:
		return Key{By: ByTask, Group: r.ended.Group, Name: r.ended.Comm, Ended: true}
	}
	return Key{By: ByTask, PID: r.task.PID, TID: r.task.TID}
}

func (r *row) name() string {
	switch {
	case r.sum != nil:
		return r.sum.name
	case r.ended != nil:
		return endedName(r.ended)
	}
	return r.task.Comm
}

// endedName names tasks that were born and ended within an interval.
func endedName(e *report.EndedTasks) string { return cmp.Or(e.Comm, "others") + " (ended)" }

func (r *row) tasks() uint64 {
	switch {
	case r.sum != nil:
		return r.sum.tasks
	case r.ended != nil:
		return r.ended.Tasks
	}
	return 1
}

// waitingNS is the longest wait that is under way, 0 if there is none.
func (r *row) waitingNS() int64 {
	switch {
	case r.sum != nil:
		return r.sum.waitingNS
	case r.ended != nil:
		return 0
	}
	return r.task.WaitingNS
}

// longest is the longest wait, also one that is still under way, which is marked.
func (r *row) longest() Cell {
	if ns := r.waitingNS(); ns > 0 && uint64(ns) > r.Waits.MaxNS {
		sofar := report.Of(float64(ns), report.Nanoseconds)
		return Cell{Text: sofar.String() + " so far", Value: sofar}
	}
	known := r.Waits.MaxNS > 0 || r.Waits.Count > 0
	return ofValue(report.Maybe(float64(r.Waits.MaxNS), known, report.Nanoseconds))
}

func (r *row) group() uint64 {
	switch {
	case r.sum != nil:
		return r.sum.group
	case r.ended != nil:
		return r.ended.Group
	}
	return r.task.Group
}

// pid returns the numbers of the process and the task, 0 for a sum of several.
func (r *row) pid() (sched.PID, sched.TID) {
	switch {
	case r.sum != nil:
		return r.sum.key.PID, 0
	case r.ended != nil:
		return 0, 0
	}
	return r.task.PID, r.task.TID
}

// keyOf returns the key of the sum that a task belongs to.
func keyOf(by Grouping, t *report.Task) Key {
	switch by {
	case ByProcess:
		return Key{By: by, PID: t.PID}
	case ByProgram:
		return Key{By: by, Name: programOf(t)}
	case ByGroup:
		return Key{By: by, Group: t.Group}
	}
	return Key{By: by, PID: t.PID, TID: t.TID}
}

// keyOfEnded is keyOf for tasks that ended, whose processes are not known.
func keyOfEnded(by Grouping, e *report.EndedTasks) Key {
	switch by {
	case ByProgram:
		return Key{By: by, Name: e.Comm}
	case ByGroup:
		return Key{By: by, Group: e.Group}
	}
	return Key{By: by, Group: e.Group, Name: e.Comm, Ended: true}
}

// rowsOf returns the rows of an interval, before a filter is applied.
func (iv *interval) rowsOf(by Grouping, within Key) []row {
	s := iv.trial.System
	if s == nil {
		return nil
	}
	var rows []row
	sums := map[Key]*rowSum{}
	if by == ByTask {
		rows = make([]row, 0, len(s.Tasks)+len(s.Ended))
	}
	add := func(k Key, a *report.Activity, tasks, group uint64, name string) *rowSum {
		sum := sums[k]
		if sum == nil {
			sum = &rowSum{key: k, group: group, name: name}
			sums[k] = sum
			rows = append(rows, row{Activity: &sum.activity, sum: sum})
		}
		sum.tasks += tasks
		sum.Add(a, 0)
		return sum
	}
	everything := within == Key{}
	for i := range s.Tasks {
		t := &s.Tasks[i]
		switch {
		case !everything && keyOf(within.By, t) != within:
		case by == ByTask:
			rows = append(rows, row{Activity: &t.Activity, task: t})
		default:
			sum := add(keyOf(by, t), &t.Activity, 1, t.Group, iv.sumName(by, programOf(t), t.Group))
			sum.waitingNS = max(sum.waitingNS, t.WaitingNS)
		}
	}
	for i := range s.Ended {
		e := &s.Ended[i]
		switch {
		case !everything && keyOfEnded(within.By, e) != within:
		case by == ByTask:
			rows = append(rows, row{Activity: &e.Activity, ended: e})
		case by == ByProgram:
			add(keyOfEnded(by, e), &e.Activity, e.Tasks, e.Group, cmp.Or(e.Comm, endedName(e)))
		default:
			add(keyOfEnded(by, e), &e.Activity, e.Tasks, e.Group, iv.sumName(by, endedName(e), e.Group))
		}
	}
	if by == ByGroup && everything {
		for i := range s.Groups { // one that its quota stopped all the time has no task that did anything
			g := &s.Groups[i]
			if k := (Key{By: by, Group: g.ID}); sums[k] == nil && g.Throttling != nil {
				add(k, &report.Activity{}, 0, g.ID, iv.sumName(by, "", g.ID))
			}
		}
	}
	for _, sum := range sums {
		sum.activity.OnCPUNS, sum.activity.WaitNS, sum.activity.ThrottledNS = sum.OnCPUNS, sum.WaitNS, sum.ThrottledNS
		sum.activity.EndedBy, sum.activity.Migrations = sum.EndedBy, sum.Migrations
		sum.activity.Waits.MaxNS = sum.WaitMaxNS // until the distribution is asked for
	}
	return rows
}

func (iv *interval) sumName(by Grouping, program string, group uint64) string {
	if by != ByGroup {
		return program
	}
	return cmp.Or(iv.groupName(group), "group "+strconv.FormatUint(group, 10))
}

// matcher returns a function that reports whether a row contains any of the texts that a filter has
// between | signs.
func (iv *interval) matcher(filter string) func(*row) bool {
	texts := strings.Split(strings.ToLower(filter), "|")
	matches := func(s string) bool {
		s = strings.ToLower(s)
		for _, text := range texts {
			if text != "" && strings.Contains(s, text) {
				return true
			}
		}
		return false
	}
	groups := map[uint64]bool{}
	for id, g := range iv.groups {
		groups[id] = matches(g.Name) || matches(g.Path)
	}
	return func(r *row) bool {
		pid, tid := r.pid()
		return matches(r.name()) || groups[r.group()] && (r.sum == nil || r.sum.key.By != ByProgram) ||
			r.task != nil && matches(r.task.Process) ||
			pid != 0 && matches(strconv.Itoa(int(pid))) || tid != 0 && matches(strconv.Itoa(int(tid)))
	}
}
