package hostinfo

import (
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/slicetrace/slicetrace/report/sched"
)

// Place is where a core is. Cores with equal numbers share that part: each is the lowest of the cores
// that do.
type Place struct {
	// Core is the physical core, whose hardware threads are siblings; Cache the last-level cache, and
	// Node the NUMA node.
	Core, Cache, Node sched.CPU
}

// Topology returns the places of the cores that are online. What the kernel does not tell of a core is
// 0, as if all were in one place; a core without siblings is its own Core.
func Topology() map[sched.CPU]Place { return topology(sysTree{os.DirFS("/")}) }

func topology(tree sysTree) map[sched.CPU]Place {
	places := make(map[sched.CPU]Place)
	const dir = "sys/devices/system/cpu"
	cpus, err := ParseCPUs(tree.text(dir + "/online"))
	if err != nil {
		return places
	}
	for _, cpu := range cpus {
		own := fmt.Sprintf("%s/cpu%d/", dir, cpu)
		places[cpu] = Place{
			Core:  lowest(tree.text(own+"topology/thread_siblings_list"), cpu),
			Cache: lastCache(tree, own+"cache"),
		}
	}
	nodes, err := fs.Glob(tree, "sys/devices/system/node/node*/cpulist")
	if err != nil {
		return places
	}
	for _, node := range nodes {
		of, err := ParseCPUs(tree.text(node))
		if err != nil || len(of) == 0 {
			continue
		}
		for _, cpu := range of {
			if p, online := places[cpu]; online {
				p.Node = of[0]
				places[cpu] = p
			}
		}
	}
	return places
}

// lowest returns the first core of a list, which the kernel keeps in ascending order; other if there is
// none.
func lowest(list string, other sched.CPU) sched.CPU {
	cpus, err := ParseCPUs(list)
	if err != nil || len(cpus) == 0 {
		return other
	}
	return cpus[0]
}

// lastCache returns the first of the cores that share a core's cache of the highest level.
func lastCache(tree sysTree, dir string) sched.CPU {
	highest, first := 0, sched.CPU(0)
	entries, err := fs.ReadDir(tree, dir)
	if err != nil {
		return 0
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "index") {
			continue
		}
		level, err := strconv.Atoi(tree.text(dir + "/" + e.Name() + "/level"))
		if err != nil || level <= highest {
			continue
		}
		highest, first = level, lowest(tree.text(dir+"/"+e.Name()+"/shared_cpu_list"), 0)
	}
	return first
}
