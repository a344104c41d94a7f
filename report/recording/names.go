package recording

// Names tells what tasks were called at a time, from the Task frames read so
// far. Its zero value knows none.
type Names struct {
	tasks map[int32][]named
}

type named struct {
	since int64
	comm  string
}

// mostNames is how many names of one tid are kept: cores' blocks take turns, so
// that a task's last name but one can still be asked for.
const mostNames = 8

// Learn takes tasks' names in.
func (n *Names) Learn(tasks []Task) {
	if n.tasks == nil {
		n.tasks = make(map[int32][]named)
	}
	for _, t := range tasks {
		list := append(n.tasks[t.TID], named{t.TimeNS, t.Comm})
		for i := len(list) - 1; i > 0 && list[i].since < list[i-1].since; i-- {
			list[i], list[i-1] = list[i-1], list[i]
		}
		if len(list) > mostNames {
			list = append(list[:0], list[1:]...)
		}
		n.tasks[t.TID] = list
	}
}

// At returns the name that a task had at a time in CLOCK_MONOTONIC nanoseconds,
// "" where none is known.
func (n *Names) At(tid int32, timeNS int64) string {
	list := n.tasks[tid]
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].since <= timeNS {
			return list[i].comm
		}
	}
	return ""
}
