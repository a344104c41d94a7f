package hostinfo

import (
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/slicetrace/slicetrace/report"
)

// groupMounts are where the control groups' files are.
type groupMounts struct {
	v1, v2 groupMount
}

// groupMount is where the hierarchy with the CPU controller is mounted; dir is "" if it is
// not. root is the part of the hierarchy that is visible there.
type groupMount struct{ dir, root string }

// findGroupMounts reads lines "36 25 0:30 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu".
func findGroupMounts(tree sysTree) groupMounts {
	var m groupMounts
	for _, line := range tree.lines("proc/self/mountinfo") {
		before, after, ok := strings.Cut(line, " - ")
		place, kind := strings.Fields(before), strings.Fields(after)
		if !ok || len(place) < 5 || len(kind) < 3 {
			continue
		}
		mount := groupMount{dir: strings.TrimPrefix(place[4], "/"), root: place[3]}
		switch {
		case kind[0] == "cgroup2" && m.v2.dir == "":
			m.v2 = mount
		case kind[0] == "cgroup" && m.v1.dir == "" && hasWord(kind[2], "cpu"):
			m.v1 = mount
		}
	}
	return m
}

// hasWord reports whether a comma-separated list has a word.
func hasWord(list, word string) bool {
	for w := range strings.SplitSeq(list, ",") {
		if w == word {
			return true
		}
	}
	return false
}

// cpuGroups are the directories of the groups of the CPU controller that this process is in,
// from its own group up to the highest that it can see.
type cpuGroups struct {
	tree sysTree
	dirs []string
	v2   bool
}

// groups reads them again each time, since a process can be moved.
func (r *settingsReader) groups() cpuGroups {
	g := cpuGroups{tree: r.tree}
	own, mount := "", groupMount{}
	for _, line := range r.tree.lines("proc/self/cgroup") {
		// "4:cpu,cpuacct:/user.slice" of version 1, "0::/user.slice" of version 2
		_, rest, _ := strings.Cut(line, ":")
		controllers, name, ok := strings.Cut(rest, ":")
		switch {
		case ok && r.mounts.v1.dir != "" && hasWord(controllers, "cpu"):
			own, mount, g.v2 = name, r.mounts.v1, false
		case ok && controllers == "" && mount.dir == "" && r.mounts.v1.dir == "":
			own, mount, g.v2 = name, r.mounts.v2, true
		}
	}
	if mount.dir == "" || !path.IsAbs(own) {
		return g
	}
	if mount.root != "/" {
		own = strings.TrimPrefix(own, mount.root)
	}
	for name := path.Clean("/" + own); ; name = path.Dir(name) {
		g.dirs = append(g.dirs, path.Join(mount.dir, name))
		if name == "/" {
			return g
		}
	}
}

// limit returns how much of each period a group's tasks may have; 0 means that there is no limit.
func (g cpuGroups) limit(dir string) (quota, period time.Duration) {
	max, every := g.tree.text(dir+"/cpu.cfs_quota_us"), g.tree.text(dir+"/cpu.cfs_period_us")
	if g.v2 {
		max, every, _ = strings.Cut(g.tree.text(dir+"/cpu.max"), " ")
	}
	q, err := strconv.ParseInt(max, 10, 40)
	p, err2 := strconv.ParseInt(every, 10, 40)
	if err != nil || err2 != nil || q <= 0 || p <= 0 {
		return 0, 0
	}
	return time.Duration(q) * time.Microsecond, time.Duration(p) * time.Microsecond
}

// quota describes the tightest of the groups' limits.
func (g cpuGroups) quota() string {
	if len(g.dirs) == 0 {
		return ""
	}
	tightest, text := 0.0, "none"
	for _, dir := range g.dirs {
		quota, period := g.limit(dir)
		if share := float64(quota) / max(1, float64(period)); quota > 0 && (tightest == 0 || share < tightest) {
			tightest, text = share, quota.String()+" of each "+period.String()
		}
	}
	return text
}

// weights lists the groups from the top, since the scheduler picks once at each level. Each
// has its weight, in percent of the default. "none" means that there is only the root group.
func (g cpuGroups) weights() string {
	if len(g.dirs) == 0 {
		return ""
	}
	var parts []string
	for i := len(g.dirs) - 1; i >= 0; i-- {
		dir := g.dirs[i]
		file, usual := "/cpu.shares", 1024.0
		if g.v2 {
			file, usual = "/cpu.weight", 100
		}
		weight, err := strconv.ParseFloat(g.tree.text(dir+file), 64)
		if err != nil || !g.v2 && i == len(g.dirs)-1 {
			continue // the root, or a group without the controller
		}
		part := strconv.FormatFloat(100*weight/usual, 'f', 0, 64) + " %"
		if g.tree.text(dir+"/cpu.idle") == "1" {
			part = "idle"
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

// throttled returns how often and for how long limits have stopped the groups' tasks so far;
// nil if there is no limit.
func (g cpuGroups) throttled() *report.Throttling {
	var sum *report.Throttling
	for _, dir := range g.dirs {
		if quota, _ := g.limit(dir); quota == 0 {
			continue
		}
		if sum == nil {
			sum = &report.Throttling{}
		}
		for _, line := range g.tree.lines(dir + "/cpu.stat") {
			name, value, _ := strings.Cut(line, " ")
			n, err := strconv.ParseInt(value, 10, 53)
			if err != nil || n < 0 {
				continue
			}
			switch name {
			case "nr_throttled":
				sum.Times += uint64(n)
			case "throttled_time":
				sum.NS += n
			case "throttled_usec":
				sum.NS += 1000 * n
			}
		}
	}
	return sum
}
