package main

import (
	"fmt"
	"os"
	"os/user"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/collector/hostinfo/cgroup"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
)

// watchFilter says which tasks are wanted: those that fit one value of each flag that is given. Without a
// flag, all are.
type watchFilter struct {
	pidTexts []string
	cgroups  []string
	comms    []string
	users    []string
	wait     bool

	pids     []int
	uids     []uint32
	patterns []cgroup.Pattern
	live     *collector.Live
	// processes are those of pids. find makes them.
	processes *namedProcesses
}

func (f *watchFilter) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVar(&f.pidTexts, "pid", nil, "only these processes, with all their threads")
	flags.StringSliceVar(&f.cgroups, "cgroup", nil,
		"only these control groups and those below them: a unit, container, pod, path or pattern")
	flags.StringSliceVar(&f.comms, "comm", nil,
		"only tasks or processes of these names or patterns, such as 'postgres*'")
	flags.StringSliceVar(&f.users, "uid", nil, "only tasks of these users, by name or number")
	flags.BoolVar(&f.wait, "wait", false, "wait for tasks that fit, instead of failing if there are none at first")
}

// given reports whether any flag restricts what is watched.
func (f *watchFilter) given() bool {
	return len(f.pidTexts)+len(f.cgroups)+len(f.comms)+len(f.users) > 0
}

// check reads the values.
func (f *watchFilter) check() error {
	if f.wait && !f.given() {
		return usagef("--wait: name what to wait for, by --pid, --cgroup, --comm or --uid")
	}
	for _, text := range f.pidTexts {
		pid, err := strconv.ParseInt(text, 10, 32)
		if err != nil || pid < 1 {
			return usagef("--pid %s: give the number of a process; --comm takes names", text)
		}
		f.pids = append(f.pids, int(pid))
	}
	if len(f.pids) > collector.MostPIDs {
		return usagef("--pid: %d processes are more than %d", len(f.pids), collector.MostPIDs)
	}
	for _, pattern := range f.comms {
		if _, err := path.Match(pattern, ""); err != nil {
			return usagef("--comm %s: it is no pattern: %w", pattern, err)
		}
	}
	for _, text := range f.cgroups {
		pattern, err := cgroup.ParsePattern(text)
		if err != nil {
			return usagef("--cgroup %s: %w", text, err)
		}
		f.patterns = append(f.patterns, pattern)
	}
	for _, name := range f.users {
		uid, err := strconv.ParseUint(name, 10, 32)
		if err != nil {
			u, err := user.Lookup(name)
			if err != nil {
				return usagef("--uid %s: there is no such user", name)
			}
			if uid, err = strconv.ParseUint(u.Uid, 10, 32); err != nil {
				return usagef("--uid %s: the user's number is %q", name, u.Uid)
			}
		}
		f.uids = append(f.uids, uint32(uid))
	}
	return nil
}

// find looks for the tasks that were named.
func (f *watchFilter) find() error {
	f.processes = newNamedProcesses(f.pids)
	if err := f.processes.find(!f.wait); err != nil || f.wait {
		return err
	}
	for _, pattern := range f.comms {
		if !taskExists(func(dir string) bool { return hasComm(dir, pattern) }) {
			return fmt.Errorf("--comm %s: no task has such a name; with --wait, slicetrace waits for one", pattern)
		}
	}
	for i, uid := range f.uids {
		if !taskExists(func(dir string) bool { return hasUID(dir, uid) }) {
			return fmt.Errorf("--uid %s: no task of this user runs; with --wait, slicetrace waits for one", f.users[i])
		}
	}
	return nil
}

// begin prepares the live view, and looks for the control groups that were named.
func (f *watchFilter) begin(l *collector.Live) error {
	f.live = l
	for _, pid := range f.pids {
		if err := l.TellApart(sched.PID(pid)); err != nil {
			return err
		}
	}
	if f.wait {
		return nil
	}
	for i, pattern := range f.patterns {
		n, err := l.MatchGroups(pattern)
		if err != nil {
			return fmt.Errorf("--cgroup %s: %w", f.cgroups[i], err)
		}
		if n == 0 {
			return fmt.Errorf("--cgroup %s: no control group fits; with --wait, slicetrace waits for one", f.cgroups[i])
		}
	}
	return nil
}

// taskExists reports whether a task of the machine fits, which is known by its directory in /proc.
func taskExists(fits func(dir string) bool) bool {
	processes, err := os.ReadDir("/proc")
	if err != nil {
		return true // it cannot be known
	}
	for _, p := range processes {
		if _, err := strconv.Atoi(p.Name()); err != nil {
			continue
		}
		tasks, err := os.ReadDir("/proc/" + p.Name() + "/task")
		if err != nil {
			continue // it has ended
		}
		for _, t := range tasks {
			if fits("/proc/" + p.Name() + "/task/" + t.Name()) {
				return true
			}
		}
	}
	return false
}

func hasComm(dir, pattern string) bool {
	name, err := os.ReadFile(dir + "/comm")
	if err != nil {
		return false // it has ended
	}
	fits, _ := path.Match(pattern, strings.TrimSuffix(string(name), "\n"))
	return fits
}

// hasUID reports whether a user is the effective one of a task.
func hasUID(dir string, uid uint32) bool {
	own, known := uidOf(dir)
	return known && own == uid
}

// uidOf returns the effective user of a task, which is not known if it has ended.
func uidOf(dir string) (uid uint32, known bool) {
	status, _ := os.ReadFile(dir + "/status") // what has ended has none
	_, line, _ := strings.Cut(string(status), "\nUid:")
	line, _, _ = strings.Cut(line, "\n")
	uids := strings.Fields(line) // real, effective, saved, of the file system
	if len(uids) < 2 {
		return 0, false
	}
	effective, err := strconv.ParseUint(uids[1], 10, 32)
	return uint32(effective), err == nil
}

// apply removes from an interval what is not wanted.
func (f *watchFilter) apply(t *report.Trial) {
	if !f.given() {
		return
	}
	known := make(map[uint64]bool)
	wantsGroup := func(id uint64) bool {
		wanted, ok := known[id]
		if !ok {
			wanted = f.wantsGroup(id)
			known[id] = wanted
		}
		return wanted
	}
	s := t.System
	s.Tasks = slices.DeleteFunc(s.Tasks, func(t report.Task) bool {
		return !(f.processes.wants(t.PID) && f.wantsComm(t.Comm, t.Process) && f.wantsUID(t.UID) && wantsGroup(t.Group))
	})
	s.Ended = slices.DeleteFunc(s.Ended, func(t report.EndedTasks) bool {
		return !(f.processes.wants(t.PID) && f.wantsComm(t.Comm) && f.wantsUID(t.UID) && wantsGroup(t.Group))
	})
	if t.Why == nil {
		return
	}
	t.Why.Waits = slices.DeleteFunc(t.Why.Waits, func(w report.StackWait) bool {
		return !(f.processes.wants(w.PID) && f.wantsComm(w.Comm, w.Process) && f.wantsUID(w.UID) && wantsGroup(w.Group))
	})
	t.Why.Pairs = slices.DeleteFunc(t.Why.Pairs, func(p report.Pair) bool {
		w := p.Task
		return w == nil || !(f.processes.wants(w.PID) && f.wantsComm(w.Comm, w.Process) && wantsGroup(w.Group) &&
			f.wantsUID(w.UID))
	})
}

func (f *watchFilter) wantsUID(uid uint32) bool {
	return len(f.uids) == 0 || slices.Contains(f.uids, uid)
}

func (f *watchFilter) wantsComm(names ...string) bool {
	if len(f.comms) == 0 {
		return true
	}
	for _, pattern := range f.comms {
		for _, name := range names {
			if fits, _ := path.Match(pattern, name); fits {
				return true
			}
		}
	}
	return false
}

func (f *watchFilter) wantsGroup(id uint64) bool {
	if len(f.patterns) == 0 {
		return true
	}
	return slices.ContainsFunc(f.patterns, func(p cgroup.Pattern) bool { return f.live.GroupFits(p, id) })
}

// asked is what a report says of the filter.
func (f *watchFilter) asked() *report.Watch {
	w := &report.Watch{All: !f.given(), Cgroups: f.cgroups, Comms: f.comms, UIDs: f.uids}
	for _, pid := range f.pids {
		w.PIDs = append(w.PIDs, sched.PID(pid))
	}
	return w
}
