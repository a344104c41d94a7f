package flight

import (
	"path"
	"time"

	"github.com/slicetrace/slicetrace/report/sched"
)

// Choice says which tasks can make a case, beside what a condition names. The zero value means those of
// Recorder.Watch. Its functions are called only for times above a limit, from the goroutine that calls the
// Recorder, and tell whether they know the answer: of a task that has ended they may not.
type Choice struct {
	// Everyone makes all tasks of the machine be watched from the beginning.
	Everyone bool
	// Wanted, if not nil, tells whether a task is one of those that can make a case.
	Wanted func(Subject) (is, known bool)
	// InGroup tells whether a task is in a control group that a condition names. It is not needed if
	// none does.
	InGroup func(tid sched.TID, group string) (is, known bool)
}

// Subject is a task that had a time above a limit.
type Subject struct {
	TID  sched.TID
	TGID sched.PID
	// Comm is its name, and Process that of its process's first thread, "" if that is not watched.
	Comm, Process string
}

// answerHolds is how long an answer about a task is taken for true, by the recording's time.
const answerHolds = int64(time.Second)

// answer is what a function of a Choice told of a task.
type answer struct {
	atNS      int64
	asked, is bool
}

// ask returns the answer to question number i about a task. If it is not known any more, the last one holds,
// and if it never was, the answer is no.
func (t *task) ask(i int, nowNS int64, question func() (is, known bool)) bool {
	for len(t.answers) <= i {
		t.answers = append(t.answers, answer{})
	}
	a := &t.answers[i]
	if a.asked && nowNS-a.atNS < answerHolds {
		return a.is
	}
	a.asked, a.atNS = true, nowNS
	if is, known := question(); known {
		a.is = is
	}
	return a.is
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
	}
	if c.Group != "" && !t.ask(1+i, nowNS, func() (bool, bool) { return w.choice.InGroup(t.tid, c.Group) }) {
		return false
	}
	if w.choice.Wanted == nil {
		return true
	}
	return t.ask(0, nowNS, func() (bool, bool) {
		return w.choice.Wanted(Subject{TID: t.tid, TGID: t.tgid, Comm: t.comm, Process: process})
	})
}

// fits reports whether a name is the one that a pattern means. Parse has checked the pattern.
func fits(pattern, name string) bool {
	is, _ := path.Match(pattern, name)
	return is || pattern == name
}
