package flight

import (
	"path"
	"time"

	"github.com/slicetrace/slicetrace/report/sched"
)

// Choice says which tasks can make a case, beside what a condition tells by itself. The zero value means those of
// Recorder.Watch. Its functions are called only for times above a limit, from the goroutine that calls the Recorder.
type Choice struct {
	// Everyone makes all tasks of the machine be watched from the beginning.
	Everyone bool
	// Wanted, if not nil, tells whether a task is one of those that can make a case.
	Wanted func(Subject) bool
	// Belongs, if not nil, tells whether a task belongs to a control group that a condition names, or, if that is
	// "", to those that can make a case. Of a task that has ended that may not be known: then its parent is asked
	// about in its place.
	Belongs func(tid sched.TID, group string) (is, known bool)
}

// Subject is a task that had a time above a limit.
type Subject struct {
	TGID sched.PID
	// Comm is its name, and Process that of its process's first thread, "" if that is not watched.
	Comm, Process string
}

// answerHolds is how long an answer about a task is taken for true, by the recording's time.
const answerHolds = int64(time.Second)

// answer is what Choice.Belongs told of a task.
type answer struct {
	atNS             int64
	asked, is, known bool
}

// belongs reports whether a task belongs to the group of condition i or, if i is -1, to those that can make a case.
func (w *watch) belongs(t *task, i int, nowNS int64) (is, known bool) {
	for len(t.answers) <= i+1 {
		t.answers = append(t.answers, answer{})
	}
	a := &t.answers[i+1]
	if a.asked && nowNS-a.atNS < answerHolds {
		return a.is, a.known
	}
	a.asked, a.atNS = true, nowNS
	group := ""
	if i >= 0 {
		group = w.conditions[i].Group
	}
	is, known = w.choice.Belongs(t.tid, group)
	if parent := w.tasks[t.parent]; !known && !a.known && parent != nil && parent.bornNS < t.bornNS {
		is, known = w.belongs(parent, i, nowNS)
	}
	if known {
		a.is, a.known = is, true
	}
	return a.is, a.known // what was known before holds
}

// chosen reports whether a task can make a case of condition i at a time.
func (w *watch) chosen(i int, t *task, nowNS int64) bool {
	c := &w.conditions[i]
	process := ""
	if leader := w.tasks[t.tgid.Leader()]; leader != nil {
		process = leader.comm
	}
	switch {
	case c.PID != 0 && c.PID != t.tgid,
		c.Comm != "" && !fits(c.Comm, t.comm) && (process == "" || !fits(c.Comm, process)):
		return false
	case w.choice.Wanted != nil && !w.choice.Wanted(Subject{TGID: t.tgid, Comm: t.comm, Process: process}):
		return false
	case w.choice.Belongs == nil:
		return true
	}
	if is, _ := w.belongs(t, -1, nowNS); !is {
		return false
	}
	if c.Group == "" {
		return true
	}
	is, _ := w.belongs(t, i, nowNS)
	return is
}

// fits reports whether a name is the one that a pattern means. Parse has checked the pattern.
func fits(pattern, name string) bool {
	is, _ := path.Match(pattern, name)
	return is || pattern == name
}
