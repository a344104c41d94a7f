package render

import (
	"slices"

	"github.com/slicetrace/slicetrace/report/recording"
)

// cloneThread is CLONE_THREAD of clone(2): the new task is a thread of its
// creator's process.
const cloneThread = 0x10000

// lives knows which tasks live, so that Perfetto does not take two tasks that had
// one tid after another for one. It tells them apart as the kernel's own events do:
// by task_newtask for a task that was created, and sched_process_free for one that is gone.
//
// Blocks of several cores take turns, so a task's end can be read after the
// beginning of the next task of that tid: hence all that is known has a time.
type lives struct {
	tasks  map[int32][]life // by tid, in the order of time
	groups map[int32]*threadGroup
	// born are tasks whose creation is not written yet: a wakeup tells the core.
	born map[int32][]recording.Task
}

type life struct {
	sinceNS int64
	group   *threadGroup
}

// threadGroup is a process. The kernel gives its leader's tid away only when all of
// its threads are gone.
type threadGroup struct {
	leader int32
	// parent is the process that created it, 0 where that is not known.
	parent int32
	alive  int
	ended  bool  // of the leader
	lastNS int64 // the latest end of a thread
}

// freed is a tid that nobody has from a time on.
type freed struct {
	tid     int32
	sinceNS int64
}

// learn takes in a task that was there before, was created or got another name.
func (l *lives) learn(t recording.Task) {
	if l.tasks == nil {
		l.tasks, l.groups, l.born = map[int32][]life{}, map[int32]*threadGroup{}, map[int32][]recording.Task{}
	}
	known := l.tasks[t.TID]
	if t.Parent == 0 && len(known) > 0 {
		return
	}
	group := l.groups[t.TGID]
	if group == nil || t.TID == t.TGID && t.Parent != 0 {
		group = &threadGroup{leader: t.TGID}
		if parent := l.tasks[t.Parent]; t.Parent != 0 && len(parent) > 0 {
			group.parent = parent[len(parent)-1].group.leader
		}
		l.groups[t.TGID] = group
	}
	group.alive++
	l.tasks[t.TID] = append(known, life{t.TimeNS, group})
	if t.Parent != 0 {
		l.born[t.TID] = append(l.born[t.TID], t)
	}
}

// birth returns the task that was created last before a wakeup of its tid, unless it
// was returned before.
func (l *lives) birth(tid int32, wokenNS int64) (recording.Task, bool) {
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

// end notes that a task ended at a time, and returns the tids that are free by that:
// a thread's own, the leader's with the last of its process. Perfetto forgets a task
// when its tid is free, so that is just behind its last switch.
func (l *lives) end(tid int32, atNS int64) (free []freed) {
	list := l.tasks[tid]
	i := len(list) - 1
	for i >= 0 && list[i].sinceNS > atNS {
		i--
	}
	if i < 0 {
		return []freed{{tid, atNS + 1}} // nothing is known of it
	}
	group := list[i].group
	if list = slices.Delete(list, i, i+1); len(list) > 0 {
		l.tasks[tid] = list
	} else {
		delete(l.tasks, tid)
	}
	group.alive--
	group.lastNS = max(group.lastNS, atNS)
	if tid == group.leader {
		group.ended = true
	} else {
		free = append(free, freed{tid, atNS + 1})
	}
	if group.ended && group.alive <= 0 {
		if l.groups[group.leader] == group {
			delete(l.groups, group.leader)
		}
		free = append(free, freed{group.leader, group.lastNS + 1})
	}
	return free
}
