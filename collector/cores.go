package collector

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/report/sched"
)

// addCores looks for cores that have come online since the last call. The maps have room for
// every possible core, however many there are. One that has never switched costs a look at
// its page, but no interrupt and no memory of this process.
func (c *Collector) addCores() error {
	var page bpf.CPUState
	still := c.awaited[:0]
	for _, cpu := range c.awaited {
		if err := c.objs.CPUs.Lookup(uint32(cpu), &page); err != nil {
			return fmt.Errorf("look for core %d: %w", cpu, err)
		}
		if page.SliceStart == 0 {
			still = append(still, cpu)
			continue
		}
		c.cores = append(c.cores, &core{cpu: cpu, late: true})
		c.hotplug.noticed(cpu)
	}
	if len(still) < len(c.awaited) {
		slices.SortFunc(c.cores, func(a, b *core) int { return cmp.Compare(a.cpu, b.cpu) })
	}
	c.awaited = still
	return nil
}

// firstSeen returns when the account of a core began: it holds all time since then.
func firstSeen(s *bpf.Snapshot) uint64 {
	first := s.Cpu.SliceStart - s.Cpu.BookkeepingNs
	for _, t := range s.Cpu.OccupiedNs {
		first -= t
	}
	return first
}

// of returns the counts of a core. A core that had not been online by then counts as idle.
func (s *Snapshot) of(cpu sched.CPU) *coreCounts {
	if i, ok := slices.BinarySearch(s.cpus, cpu); ok {
		return &s.cores[i]
	}
	absent := &coreCounts{now: s.at}
	absent.time[bpf.OccupantIdle] = s.at - s.opened
	return absent
}
