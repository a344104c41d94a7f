//go:build linux

package workloads

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// groups are a process's control groups by controller, "" for those of version 2: the
// group's directory and, up to the root of what is mounted here, those that it is in.
type groups map[string][]group

// group is one control group.
type group struct {
	// name is its path as /proc/PID/cgroup has it, dir where its files are.
	name, dir string
}

// groupsOf returns what is known of a process's groups: nothing is an error, since
// they only help to explain one.
func groupsOf(pid int) groups {
	mounts := groupMounts()
	found := make(groups)
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	for line := range strings.Lines(string(text)) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(parts) != 3 {
			continue
		}
		for _, controller := range strings.Split(parts[1], ",") {
			mount, ok := mounts[controller]
			if !ok {
				continue
			}
			for name := parts[2]; ; name = filepath.Dir(name) {
				inside, err := filepath.Rel(mount.name, name)
				if err != nil || strings.HasPrefix(inside, "..") {
					break
				}
				found[controller] = append(found[controller], group{name, filepath.Join(mount.dir, inside)})
				if inside == "." || name == "/" {
					break
				}
			}
		}
	}
	return found
}

// groupMounts returns where each controller is mounted, and of which group.
func groupMounts() map[string]group {
	mounts := make(map[string]group)
	text, _ := os.ReadFile("/proc/self/mountinfo")
	for line := range strings.Lines(string(text)) {
		place, kind, _ := strings.Cut(line, " - ")
		where, what := strings.Fields(place), strings.Fields(kind)
		if len(where) < 5 || len(what) < 3 {
			continue
		}
		mount := group{where[3], where[4]}
		switch what[0] {
		case "cgroup2":
			mounts[""] = mount
		case "cgroup":
			for _, option := range strings.Split(what[2], ",") {
				mounts[option] = mount
			}
		}
	}
	return mounts
}

// read returns a file of the group's, "" if there is none.
func (g group) read(file string) string {
	text, _ := os.ReadFile(filepath.Join(g.dir, file))
	return strings.TrimSpace(string(text))
}

// field returns the number after a word in a file of the group's.
func (g group) field(file, word string) int64 {
	for line := range strings.Lines(g.read(file)) {
		if value, ok := strings.CutPrefix(line, word+" "); ok {
			n, _ := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			return n
		}
	}
	return 0
}

// frozen names the group that is frozen, "" if none is.
func (all groups) frozen() string {
	for _, g := range all["freezer"] {
		if state := g.read("freezer.state"); state == "FROZEN" || state == "FREEZING" {
			return g.name
		}
	}
	for _, g := range all[""] {
		if g.field("cgroup.events", "frozen") == 1 || g.read("cgroup.freeze") == "1" {
			return g.name
		}
	}
	return ""
}

// throttled counts for each group, by its directory, how often its quota was used up.
func (all groups) throttled() map[string]int64 {
	counts := make(map[string]int64)
	for _, controller := range []string{"", "cpu"} {
		for _, g := range all[controller] {
			counts[g.dir] = g.field("cpu.stat", "nr_throttled")
		}
	}
	return counts
}

// quota says which group's quota has held its tasks back since it was throttled as often
// as before says, "" if none has.
func (all groups) quota(before map[string]int64) string {
	for controller, read := range map[string]func(group) (quota, period int64){
		"": func(g group) (quota, period int64) {
			// "max 100000" is no quota.
			_, _ = fmt.Sscan(g.read("cpu.max"), &quota, &period)
			return quota, period
		},
		"cpu": func(g group) (quota, period int64) {
			_, _ = fmt.Sscan(g.read("cpu.cfs_quota_us"), &quota)
			_, _ = fmt.Sscan(g.read("cpu.cfs_period_us"), &period)
			return quota, period
		},
	} {
		for _, g := range all[controller] {
			quota, period := read(g)
			if quota <= 0 || period <= 0 || g.field("cpu.stat", "nr_throttled") <= before[g.dir] {
				continue
			}
			return fmt.Sprintf("control group %s may compute for %v of every %v and was held back: raise its quota, or run outside it",
				g.name, time.Duration(quota)*time.Microsecond, time.Duration(period)*time.Microsecond)
		}
	}
	return ""
}

// tasks says which group has as many tasks as it may have, "" if none has.
func (all groups) tasks() string {
	for _, controller := range []string{"", "pids"} {
		for _, g := range all[controller] {
			var most, now int64
			if _, err := fmt.Sscan(g.read("pids.max"), &most); err != nil {
				continue // "max"
			}
			// Some have ended since; and what the events say can have been long ago.
			if _, err := fmt.Sscan(g.read("pids.current"), &now); err == nil && now >= most/2 && g.field("pids.events", "max") > 0 {
				return fmt.Sprintf(" (control group %s may have %d tasks, and has %d: ask for fewer workers or raise its pids.max)", g.name, most, now)
			}
		}
	}
	return ""
}
