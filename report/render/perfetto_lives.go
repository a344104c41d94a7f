package render

import (
	"slices"

	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/sched"
)

// cloneThread is CLONE_THREAD of clone(2): the new task is a thread of its
// creator's process.
const cloneThread = 0x10000

// lives tracks which tasks exist, so that Perfetto does not take two tasks that had the same tid
// one after the other for one task. It tells them apart by events of the kernel: task_newtask for a
// task that was created, and sched_process_free for one that is gone.
//
// The blocks of different cores alternate, so a task's end can be read after the beginning of the
// next task with that tid. Therefore everything has a time.
type lives struct {
	tasks  map[sched.TID][]life // by tid, in the order of time
	groups map[sched.PID]*threadGroup
	// born are tasks whose creation has not been written yet; their wakeup tells the core.
	born map[sched.TID][]recording.Task
}

type life struct {
	sinceNS int64
	group   *threadGroup
}

// threadGroup is a process. The kernel reuses the tid of its leader only when all of its threads
// are gone.
type threadGroup struct {
	pid sched.PID
	// parent is the process that created it, 0 if unknown.
	parent sched.PID
	alive  int
	ended  bool  // the leader has ended
	lastNS int64 // the latest end of a thread
}

// freed is a tid that no task has from a time on.
type freed struct {
	tid     sched.TID
	sinceNS int64
}

// learn adds a task that existed at the start, was created or was renamed.
func (l *lives) learn(t recording.Task) {
	if l.tasks == nil {
		l.tasks, l.groups = map[sched.TID][]life{}, map[sched.PID]*threadGroup{}
		l.born = map[sched.TID][]recording.Task{}
	}
	known := l.tasks[t.TID]
	if t.Parent == 0 && len(known) > 0 {
		return
	}
	group := l.groups[t.TGID]
	if group == nil || t.TID == t.TGID.Leader() && t.Parent != 0 {
		group = &threadGroup{pid: t.TGID}
		if parent := l.tasks[t.Parent]; t.Parent != 0 && len(parent) > 0 {
			group.parent = parent[len(parent)-1].group.pid
		}
		l.groups[t.TGID] = group
	}
	group.alive++
	l.tasks[t.TID] = append(known, life{t.TimeNS, group})
	if t.Parent != 0 {
		l.born[t.TID] = append(l.born[t.TID], t)
	}
}

// birth returns the last task with a tid that was created before a wakeup, unless it has been
// returned already.
func (l *lives) birth(tid sched.TID, wokenNS int64) (recording.Task, bool) {
	list := l.born[tid]
	for i, t := range slices.Backward(list) {
		if t.TimeNS > wokenNS {
			continue
		}
		if list = slices.Delete(list, i, i+1); len(list) > 0 {
			l.born[tid] = list
		} else {
			delete(l.born, tid)
		}
		return t, true
	}
	return recording.Task{}, false
}

// end records that a task ended, and returns the tids that become free: a thread's own, or the
// leader's with the last thread of its process. Perfetto forgets a task when its tid becomes free,
// so the time is just after its last switch.
func (l *lives) end(tid sched.TID, atNS int64) (free []freed) {
	list := l.tasks[tid]
	i := len(list) - 1
	for i >= 0 && list[i].sinceNS > atNS {
		i--
	}
	if i < 0 {
		return []freed{{tid, atNS + 1}} // the task is unknown
	}
	group := list[i].group
	if list = slices.Delete(list, i, i+1); len(list) > 0 {
		l.tasks[tid] = list
	} else {
		delete(l.tasks, tid)
	}
	group.alive--
	group.lastNS = max(group.lastNS, atNS)
	if tid == group.pid.Leader() {
		group.ended = true
	} else {
		free = append(free, freed{tid, atNS + 1})
	}
	if group.ended && group.alive <= 0 {
		if l.groups[group.pid] == group {
			delete(l.groups, group.pid)
		}
		free = append(free, freed{group.pid.Leader(), group.lastNS + 1})
	}
	return free
}
