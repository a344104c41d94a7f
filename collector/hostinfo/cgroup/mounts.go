package cgroup

import (
	"slices"
	"strings"
)

// Mount is where a hierarchy of control groups is mounted.
type Mount struct {
	// Dir is the directory, "" if the hierarchy is not mounted.
	Dir string
	// Root is the group that is visible there as the topmost one, as a path in the hierarchy: "/",
	// or another one in a container. It begins with "/.." if it is outside of this process's
	// cgroup namespace.
	Root string
}

// Mounts are the places of the hierarchies that matter for CPU time.
type Mounts struct {
	// V1 is the hierarchy of the version 1 CPU controller, and V2 that of version 2.
	V1, V2 Mount
	// Accounted says that V1 also has the controller cpuacct, which counts CPU time.
	Accounted bool
}

// ParseMounts finds the hierarchies in the text of /proc/PID/mountinfo, which has lines such as
// "36 25 0:30 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu". The first mount of each counts.
func ParseMounts(mountinfo string) Mounts {
	var m Mounts
	for line := range strings.Lines(mountinfo) {
		before, after, ok := strings.Cut(line, " - ")
		place, kind := strings.Fields(before), strings.Fields(after)
		if !ok || len(place) < 5 || len(kind) < 3 {
			continue
		}
		mount := Mount{Dir: unescapeMount(place[4]), Root: unescapeMount(place[3])}
		switch options := strings.Split(kind[2], ","); {
		case kind[0] == "cgroup2" && m.V2.Dir == "":
			m.V2 = mount
		case kind[0] == "cgroup" && m.V1.Dir == "" && slices.Contains(options, "cpu"):
			m.V1, m.Accounted = mount, slices.Contains(options, "cpuacct")
		}
	}
	return m
}

// unescapeMount undoes what the kernel does to spaces, tabs, line feeds and backslashes.
var unescapeMount = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace

// PathIn returns the path of a process's group from the text of /proc/PID/cgroup, which has lines
// such as "4:cpu,cpuacct:/user.slice" for the hierarchies of version 1, and "0::/user.slice" for
// version 2. It is "" if there is none of the version, which for 1 is that of the CPU controller.
func PathIn(text string, version int) string {
	for line := range strings.Lines(text) {
		_, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		controllers, name, ok := strings.Cut(rest, ":")
		if v1 := slices.Contains(strings.Split(controllers, ","), "cpu"); ok &&
			(version == 1 && v1 || version == 2 && controllers == "") {
			return name
		}
	}
	return ""
}
