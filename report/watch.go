package report

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/slicetrace/slicetrace/report/sched"
)

// maxWatched bounds each list of a Watch.
const maxWatched = 100_000

// Watch is what a run was asked to watch on a running machine. A task is watched if All is true, or
// if any of the lists names it.
type Watch struct {
	// All is true for every task of the machine. Then the lists are empty.
	All bool `json:"all,omitempty"`
	// PIDs are processes with all their threads, Cgroups control groups with those below them, Comms
	// patterns of names of tasks, and UIDs effective users: each as it was asked for, in that order.
	PIDs    []sched.PID `json:"pids,omitempty"`
	Cgroups []string    `json:"cgroups,omitempty"`
	Comms   []string    `json:"comms,omitempty"`
	UIDs    []uint32    `json:"uids,omitempty"`
	// EveryNS is the length of an interval that was asked for.
	EveryNS int64 `json:"every_ns"`
	// ForNS is how long the whole watch was asked to take, 0 for no limit.
	ForNS int64 `json:"for_ns,omitempty"`
}

// String names the tasks that were watched, within a sentence: "all tasks", or such as "pid 4711,
// cgroup nginx.service". The names can be hostile.
func (w *Watch) String() string {
	if w.All {
		return "all tasks"
	}
	var parts []string
	for _, p := range w.PIDs {
		parts = append(parts, "pid "+strconv.Itoa(int(p)))
	}
	for _, g := range w.Cgroups {
		parts = append(parts, "cgroup "+g)
	}
	for _, c := range w.Comms {
		parts = append(parts, "comm "+c)
	}
	for _, u := range w.UIDs {
		parts = append(parts, "uid "+strconv.FormatUint(uint64(u), 10))
	}
	return strings.Join(parts, ", ")
}

// SameTasks reports whether two watches were asked for the same tasks, in whatever order. Since a
// process has another number after a restart, only how many processes they name must be equal.
func (w *Watch) SameTasks(o *Watch) bool {
	return w.All == o.All && len(w.PIDs) == len(o.PIDs) &&
		sameSet(w.Cgroups, o.Cgroups) && sameSet(w.Comms, o.Comms) && sameSet(w.UIDs, o.UIDs)
}

func sameSet[T cmp.Ordered](a, b []T) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

func (w *Watch) validate() error {
	switch {
	case w == nil:
		return nil
	case min(w.EveryNS, w.ForNS) < 0:
		return errors.New("a watch with a negative time")
	case max(len(w.PIDs), len(w.Cgroups), len(w.Comms), len(w.UIDs)) > maxWatched:
		return fmt.Errorf("a watch of more than %d processes, groups, names or users", maxWatched)
	}
	return nil
}

// properties are those of a report's set-up that only a watch has. They have no values if w is nil.
func (w *Watch) properties() []Property {
	if w == nil {
		w = &Watch{}
	}
	return []Property{text("watch", w.String()), positive("every_ns", w.EveryNS), positive("for_ns", w.ForNS)}
}
