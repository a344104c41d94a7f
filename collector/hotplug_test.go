package collector

import (
	"slices"
	"testing"
	"time"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
)

func TestHotplugMessages(t *testing.T) {
	for message, want := range map[string]int{
		"offline@/devices/system/cpu/cpu1\x00ACTION=offline\x00": 1,
		"online@/devices/system/cpu/cpu127\x00":                  127,
		"online@/devices/system/cpu/cpu0":                        0,
		"add@/devices/system/cpu/cpu1\x00":                       -1,
		"offline@/devices/system/cpu/cpufreq\x00":                -1,
		"offline@/devices/system/memory/memory1\x00":             -1,
		"offline": -1,
		"":        -1,
	} {
		if cpu, ok := parseHotplug([]byte(message)); ok != (want >= 0) || ok && cpu != want {
			t.Errorf("%q is of core %d, %v, want %d", message, cpu, ok, want)
		}
	}
}

// What is read of a core that is away, and what the kernel side adds when it is
// back, are the same: no count goes down, none comes twice.
func TestCountsOfACoreThatGoesAndComesBack(t *testing.T) {
	bpftest.Require(t)
	cpu, plug := bpftest.PluggableCore(t)
	c, err := Open(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	switches := func() uint64 { // at the last snapshot
		i := slices.IndexFunc(c.cores, func(core core) bool { return core.cpu == cpu })
		return c.cores[i].now.Core.Switches
	}
	take := func() *Snapshot {
		s, err := c.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for range 3 {
		before := take()
		from := switches()
		counted := uint64(0)
		for i, step := range []func(){
			func() { plug(false) },
			func() {}, // away twice in a row
			func() { plug(true) },
			func() { work(t, nil, 50*time.Millisecond, "pipe") },
		} {
			step()
			after := take()
			in, err := after.Since(before)
			if err != nil {
				t.Fatal(err)
			}
			before = after
			for _, core := range in.Cores {
				if off := core.Total() - core.WallNS; core.WallNS <= 0 || max(off, -off) > core.WallNS/1000 || core.IdleNS < 0 || core.StealNS < 0 {
					t.Errorf("step %d: core %d: idle %d, workers %d, others %d, own %d and stolen %d of %d ns",
						i, core.CPU, core.IdleNS, core.WorkersNS, core.OthersNS, core.SelfNS, core.StealNS, core.WallNS)
				}
				for _, class := range core.Classes {
					if core.CPU == cpu {
						counted += class.Switches
					}
					if class.Switches > 1<<40 || class.Pick.Count > class.Switches || class.Switch.Count > class.Switches {
						t.Errorf("step %d: core %d: %d %s switches, %d picks, %d phases", i, core.CPU, class.Switches, class.Class, class.Pick.Count, class.Switch.Count)
					}
				}
			}
			if in.Lost.Unmatched() > 0 || !slices.Equal(in.Hotplugged, []int{cpu}) {
				t.Errorf("step %d: lost %+v, heard of cores %v", i, in.Lost, in.Hotplugged)
			}
		}
		// A switch under way at a snapshot is of either side.
		if made := switches() - from; counted > made+1 || counted+1 < made {
			t.Errorf("%d switches counted of %d", counted, made)
		}
	}
}
