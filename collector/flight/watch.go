package flight

import (
	"container/heap"
	"math"
	"slices"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/sched"
)

// mostSteps is how many steps wait for the other cores' at most: 24 MiB. If a core keeps the others
// waiting for longer, the order of what different cores did is not exact for once.
const mostSteps = 1 << 19

// watch finds what the conditions name in the events of the watched tasks. A task can be woken on one
// core and run on another, so it takes what happened in the order of time, up to where all cores
// have told what they did.
type watch struct {
	conditions []Condition
	choice     Choice
	tasks      map[sched.TID]*task
	lanes      map[sched.CPU]*lane
	waiting    int // steps in all lanes
	throttled  uint8
	// report is called with what was found, in the order of time.
	report func(recording.Trigger)
}

// task is a watched task.
type task struct {
	tid    sched.TID
	bornNS int64
	tgid   sched.PID
	comm   string
	follow bool // its children are watched too
	doing  doing
	since  int64
	parent sched.TID // 0 if it is not known
	// answers are those of Choice.Belongs, the first for no condition, and then for each.
	answers []answer
}

type doing uint8

const (
	unknown doing = iota
	running
	runnable
	asleep
)

// step is what an event means for one watched task.
type step struct {
	at int64
	// length is how long the slice was that ended, -1 if that is not known.
	length int64
	task   *task
	comm   *string // of a task that was renamed
	kind   stepKind
}

type stepKind uint8

const (
	woken     stepKind = iota
	took               // the task took the core
	preempted          // the task left the core, and is runnable
	slept              // the task left the core, and sleeps
	held               // the task left the core, and a quota keeps it from running
	ended
	renamed
	lost // events of a core are missing: what tasks do is unknown
)

// lane has the steps of one core, or of the names, in the order of time.
type lane struct {
	steps []step
	next  int
	// on is the task to which the core switched last, nil if that is not watched, by its tid.
	on    *task
	onTID sched.TID
}

func (l *lane) at() int64 { return l.steps[l.next].at }

// lanes are a heap by the time of the next step.
type lanes []*lane

func (l lanes) Len() int           { return len(l) }
func (l lanes) Less(i, j int) bool { return l[i].at() < l[j].at() }
func (l lanes) Swap(i, j int)      { l[i], l[j] = l[j], l[i] }
func (l *lanes) Push(x any)        { *l = append(*l, x.(*lane)) }

func (l *lanes) Pop() any {
	last := len(*l) - 1
	x := (*l)[last]
	*l = (*l)[:last]
	return x
}

// namesLane is the lane of names, which come from all cores.
const namesLane = sched.CPU(-1)

func newWatch(conditions []Condition, choice Choice, report func(recording.Trigger)) *watch {
	return &watch{
		conditions: conditions, choice: choice, tasks: make(map[sched.TID]*task), lanes: make(map[sched.CPU]*lane),
		throttled: throttledCause(), report: report,
	}
}

// throttledCause is the EndedBy of slices that a quota ended.
func throttledCause() uint8 { return uint8(slices.Index(report.Causes(), report.EndedByThrottled)) }

func (w *watch) lane(cpu sched.CPU) *lane {
	l := w.lanes[cpu]
	if l == nil {
		l = &lane{onTID: -1}
		w.lanes[cpu] = l
	}
	return l
}

// watch begins to watch a task.
func (w *watch) watch(t *task) {
	w.tasks[t.tid] = t
	for _, l := range w.lanes {
		l.onTID = -1 // it may have been there already
	}
}

// find returns the task that has a tid now, nil if it is not watched.
func (w *watch) find(tid sched.TID) *task {
	t := w.tasks[tid]
	if t == nil && w.choice.Everyone && tid != 0 { // its name was lost
		t = &task{tid: tid}
		w.tasks[tid] = t
	}
	return t
}

// learn takes names: of children of watched tasks, and new ones of watched tasks.
func (w *watch) learn(names []recording.Task) {
	if len(w.conditions) == 0 {
		return
	}
	for _, t := range names {
		known := w.tasks[t.TID]
		if t.Parent == 0 {
			if known == nil && w.choice.Everyone {
				w.watch(&task{tid: t.TID, bornNS: t.TimeNS, tgid: t.TGID, comm: t.Comm})
			} else if known != nil && t.TimeNS > 0 {
				l := w.lane(namesLane)
				l.steps = append(l.steps, step{at: t.TimeNS, task: known, kind: renamed, comm: &t.Comm})
				w.waiting++
			}
			continue
		}
		if parent := w.tasks[t.Parent]; w.choice.Everyone || parent != nil && parent.follow {
			w.watch(&task{
				tid: t.TID, bornNS: t.TimeNS, tgid: t.TGID, comm: t.Comm, parent: t.Parent, follow: true,
			})
		} else if known != nil && known.bornNS < t.TimeNS {
			delete(w.tasks, t.TID) // another task has its tid
		}
	}
}

// take takes the events of one core.
func (w *watch) take(b *recording.Block) {
	if len(w.conditions) == 0 {
		return
	}
	l := w.lane(b.CPU)
	before := len(l.steps)
	if b.Lost > 0 && len(b.Events) > 0 {
		l.steps = append(l.steps, step{at: b.Events[0].TimeNS, kind: lost})
	}
	for i := range b.Events {
		e := &b.Events[i]
		if e.Kind == recording.Wakeup {
			if t := w.find(e.Next); t != nil {
				l.steps = append(l.steps, step{at: e.TimeNS, task: t, kind: woken})
			}
			continue
		}
		if e.Prev != l.onTID {
			l.on = w.find(e.Prev)
		}
		if l.on != nil {
			l.steps = append(l.steps, step{at: e.TimeNS, task: l.on, kind: w.left(e), length: e.SliceNS})
		}
		l.on, l.onTID = w.find(e.Next), e.Next
		if l.on != nil {
			l.steps = append(l.steps, step{at: e.TimeNS, task: l.on, kind: took})
		}
	}
	w.waiting += len(l.steps) - before
	if w.waiting > mostSteps {
		w.settle(math.MaxInt64)
	}
}

// left returns what a task does that a core switched from.
func (w *watch) left(e *recording.Event) stepKind {
	switch {
	case e.EndedBy == w.throttled:
		return held
	case e.State == 'R':
		return preempted
	case e.State == 'X', e.State == 'Z':
		return ended
	}
	return slept
}

// settle goes through all steps up to a time, in the order of time.
func (w *watch) settle(untilNS int64) {
	var ready lanes
	for _, l := range w.lanes {
		if len(l.steps) > 0 && l.at() <= untilNS {
			ready = append(ready, l)
		}
	}
	heap.Init(&ready)
	for len(ready) > 0 {
		l, limit := ready[0], untilNS
		for _, other := range ready[1:min(3, len(ready))] { // the second is one of these
			limit = min(limit, other.at())
		}
		for l.next < len(l.steps) && l.at() <= limit {
			w.apply(&l.steps[l.next])
			l.next++
			w.waiting--
		}
		if l.next == len(l.steps) || l.at() > untilNS {
			heap.Pop(&ready)
		} else {
			heap.Fix(&ready, 0)
		}
	}
	for _, l := range w.lanes {
		l.steps = l.steps[:copy(l.steps, l.steps[l.next:])] // slices.Delete would clear the rest, which takes time
		l.next = 0
	}
}

// apply follows a task by one step.
func (w *watch) apply(s *step) {
	if s.kind == lost {
		for _, t := range w.tasks {
			t.doing = unknown
		}
		return
	}
	t, next := s.task, unknown
	switch s.kind {
	case renamed:
		t.comm = *s.comm
		return
	case woken:
		if t.doing == running || t.doing == runnable {
			return
		}
		if t.doing == asleep {
			w.found(s, t, Blocked, s.at-t.since)
		}
		next = runnable
	case took:
		if t.doing == runnable {
			w.found(s, t, Wait, s.at-t.since)
		}
		next = running
	default:
		if s.length >= 0 {
			w.found(s, t, Slice, s.length)
		}
		next = afterLeaving(s.kind)
		if s.kind == ended && w.tasks[t.tid] == t {
			delete(w.tasks, t.tid)
		}
	}
	t.doing, t.since = next, s.at
}

func afterLeaving(how stepKind) doing {
	switch how {
	case preempted:
		return runnable
	case slept:
		return asleep
	}
	return unknown
}

// found reports a time of a task that a condition names.
func (w *watch) found(s *step, t *task, kind Kind, ns int64) {
	for i, c := range w.conditions {
		if c.Kind == kind && ns > c.Limit.Nanoseconds() && w.chosen(i, t, s.at) {
			w.report(recording.Trigger{
				Condition: c.String(), TID: t.tid, TGID: t.tgid, Comm: t.comm, AtNS: s.at, LengthNS: ns,
			})
			return
		}
	}
}
