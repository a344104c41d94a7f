package collector

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/slicetrace/slicetrace/bpf"
)

// meet looks for cores that have come online since the last time. The maps have room
// for every core that is possible, however many those are; but one that has never
// switched costs a look at its page, and no interrupt and no memory here.
func (c *Collector) meet() error {
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

// firstSeen is when the account of a core began: all time since then is in it.
func firstSeen(s *bpf.Snapshot) uint64 {
	first := s.Cpu.SliceStart - s.Cpu.BookkeepingNs
	for _, t := range s.Cpu.OccupiedNs {
		first -= t
	}
	return first
}

// of returns the counts of a core. One that had not come online by then was idle.
func (s *Snapshot) of(cpu int) *coreCounts {
	if i, ok := slices.BinarySearch(s.cpus, cpu); ok {
		return &s.cores[i]
	}
	absent := &coreCounts{now: s.at}
	absent.time[bpf.OccupantIdle] = s.at - s.opened
	return absent
}
