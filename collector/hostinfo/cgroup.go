package hostinfo

import (
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/slicetrace/slicetrace/collector/hostinfo/cgroup"
	"github.com/slicetrace/slicetrace/report"
)

// groupMounts returns where the control groups' files are.
func groupMounts(tree sysTree) cgroup.Mounts {
	return cgroup.ParseMounts(tree.text("proc/self/mountinfo"))
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
	mount, version := r.mounts.V1, 1
	if mount.Dir == "" {
		mount, version = r.mounts.V2, 2
	}
	g.v2 = version == 2
	own := cgroup.PathIn(r.tree.text("proc/self/cgroup"), version)
	if mount.Dir == "" || !path.IsAbs(own) {
		return g
	}
	if mount.Root != "/" {
		own = strings.TrimPrefix(own, mount.Root)
	}
	for name := path.Clean("/" + own); ; name = path.Dir(name) {
		g.dirs = append(g.dirs, path.Join(strings.TrimPrefix(mount.Dir, "/"), name))
		if name == "/" {
			return g
		}
	}
}

// limit returns how much of each period a group's tasks may have; 0 means that there is no limit.
func (g cpuGroups) limit(dir string) (quota, period time.Duration) {
	return cgroup.ReadLimit(g.v2, func(file string) string { return g.tree.text(dir + "/" + file) })
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
		stat := cgroup.ParseStat(g.tree.text(dir + "/cpu.stat"))
		if stat.Throttled != nil {
			sum.Times += *stat.Throttled
		}
		if stat.ThrottledTime != nil {
			sum.NS += stat.ThrottledTime.Nanoseconds()
		}
	}
	return sum
}
