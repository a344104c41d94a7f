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

// cgroups are the control groups of a process, by controller ("" for those of version 2).
// Each list begins with the group that the process is in; its ancestors follow, up to the
// root of what is mounted here.
type cgroups map[string][]cgroup

// cgroup is one control group.
type cgroup struct {
	// name is its path as in /proc/PID/cgroup, dir the directory of its files.
	name, dir string
}

// cgroupsOf returns what can be found out about a process's control groups. It returns no
// error, since the groups are only used to explain one.
func cgroupsOf(pid int) cgroups {
	mounts := cgroupMounts()
	found := make(cgroups)
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
				found[controller] = append(found[controller], cgroup{name, filepath.Join(mount.dir, inside)})
				if inside == "." || name == "/" {
					break
				}
			}
		}
	}
	return found
}

// cgroupMounts returns where each controller is mounted, and which group is mounted there.
func cgroupMounts() map[string]cgroup {
	mounts := make(map[string]cgroup)
	text, _ := os.ReadFile("/proc/self/mountinfo")
	for line := range strings.Lines(string(text)) {
		place, kind, _ := strings.Cut(line, " - ")
		where, what := strings.Fields(place), strings.Fields(kind)
		if len(where) < 5 || len(what) < 3 {
			continue
		}
		mount := cgroup{where[3], where[4]}
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

// read returns the text of one of the group's files, "" if there is no such file.
func (g cgroup) read(file string) string {
	text, _ := os.ReadFile(filepath.Join(g.dir, file))
	return strings.TrimSpace(string(text))
}

// field returns the number that follows a word in one of the group's files.
func (g cgroup) field(file, word string) int64 {
	for line := range strings.Lines(g.read(file)) {
		if value, ok := strings.CutPrefix(line, word+" "); ok {
			n, _ := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			return n
		}
	}
	return 0
}

// frozen returns the name of a group that is frozen, "" if there is none.
func (all cgroups) frozen() string {
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

// throttled returns how often each group, named by its directory, has used up its quota.
func (all cgroups) throttled() map[string]int64 {
	counts := make(map[string]int64)
	for _, controller := range []string{"", "cpu"} {
		for _, g := range all[controller] {
			counts[g.dir] = g.field("cpu.stat", "nr_throttled")
		}
	}
	return counts
}

// quota names a group that has used up its quota since throttled returned before, with a
// remedy; "" if there is none.
func (all cgroups) quota(before map[string]int64) string {
	for controller, read := range map[string]func(cgroup) (quota, period int64){
		"": func(g cgroup) (quota, period int64) {
			// "max 100000" means that there is no quota.
			_, _ = fmt.Sscan(g.read("cpu.max"), &quota, &period)
			return quota, period
		},
		"cpu": func(g cgroup) (quota, period int64) {
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
			return fmt.Sprintf("control group %s may use %v of CPU time in every %v and was throttled: "+
				"raise its quota, or run outside it", g.name,
				time.Duration(quota)*time.Microsecond, time.Duration(period)*time.Microsecond)
		}
	}
	return ""
}

// tasks names a group that has as many tasks as it may have, with a remedy; "" if there is
// none.
func (all cgroups) tasks() string {
	for _, controller := range []string{"", "pids"} {
		for _, g := range all[controller] {
			var most, now int64
			if _, err := fmt.Sscan(g.read("pids.max"), &most); err != nil {
				continue // "max"
			}
			_, err := fmt.Sscan(g.read("pids.current"), &now)
			// The event may be an old one, so the number of tasks must be large too; but some
			// tasks may have ended since the limit was reached.
			if err == nil && now >= most/2 && g.field("pids.events", "max") > 0 {
				return fmt.Sprintf(" (control group %s may have %d tasks, and has %d: "+
					"ask for fewer workers or raise its pids.max)", g.name, most, now)
			}
		}
	}
	return ""
}
