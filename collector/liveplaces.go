package collector

import (
	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/collector/hostinfo"
)

// corePlaces returns where each core is, by its number. What is not known counts as all in one place.
func corePlaces(cores int) []bpf.CorePlace {
	places := make([]bpf.CorePlace, cores)
	for cpu, p := range hostinfo.Topology() {
		if int(cpu) < cores {
			places[cpu] = bpf.CorePlace{Core: uint16(p.Core), Cache: uint16(p.Cache), Node: uint16(p.Node)}
		}
	}
	return places
}
