package collector

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/collector/hostinfo"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
)

func TestHotplugMessages(t *testing.T) {
	for message, want := range map[string]sched.CPU{
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

// Messages about other devices take no room in the socket, and if those about cores find no
// room, that is noticed.
func TestHotplugMessagesWithoutRoom(t *testing.T) {
	bpftest.AllowedCores[sched.CPU](t)                   // so that no other test hears of a core that never went
	const uevent = "/sys/devices/system/cpu/cpu0/uevent" // has the kernel send one
	send := func(action string, n int) {
		t.Helper()
		for range n {
			if err := os.WriteFile(uevent, []byte(action), 0o200); err != nil {
				bpftest.Unavailable(t, fmt.Sprintf("no message can be provoked: %v", err))
			}
		}
	}
	for action, want := range map[string]struct {
		cores []sched.CPU
		all   bool
	}{"change": {nil, true}, "online": {[]sched.CPU{0}, false}} {
		h := listenHotplug()
		if h.fd < 0 {
			bpftest.Unavailable(t, "there is no socket for the kernel's messages")
		}
		if err := unix.SetsockoptInt(h.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 4096); err != nil {
			t.Fatal(err)
		}
		send(action, 31)
		if cores, all := h.changed(); !slices.Equal(cores, want.cores) || all != want.all {
			t.Errorf("%s: cores %v, all of them %v", action, cores, all)
		}
		if err := h.close(); err != nil {
			t.Error(err)
		}
	}
}

// What is read of a core that is offline, and what the kernel side adds when it is back, are
// the same: no count goes down, and nothing is counted twice.
func TestCountsOfACoreThatGoesAndComesBack(t *testing.T) {
	bpftest.Require(t)
	cpu, plug := bpftest.PluggableCore[sched.CPU](t)
	c, err := Open(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	switches := func() uint64 { // at the last snapshot
		i := slices.IndexFunc(c.cores, func(core *core) bool { return core.cpu == cpu })
		return c.cores[i].now.Cpu.Switches
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
			func() {}, // offline twice in a row
			func() { plug(true) },
			func() { work(t, 50*time.Millisecond, "pipe") },
		} {
			step()
			after := take()
			in, err := after.Since(before)
			if err != nil {
				t.Fatal(err)
			}
			before = after
			for _, core := range in.Cores {
				off := core.Total() - core.WallNS
				if core.WallNS <= 0 || max(off, -off) > core.WallNS/1000 || core.IdleNS < 0 || core.StealNS < 0 {
					t.Errorf("step %d: core %d: idle %d, workers %d, others %d, own %d and stolen %d of %d ns",
						i, core.CPU, core.IdleNS, core.WorkersNS, core.OthersNS, core.SelfNS, core.StealNS, core.WallNS)
				}
				for _, class := range core.Classes {
					if core.CPU == cpu {
						counted += class.Switches
					}
					if n := class.Switches; n > 1<<40 || class.Pick.Count > n || class.Switch.Count > n {
						t.Errorf("step %d: core %d: %d %s switches, %d picks, %d phases",
							i, core.CPU, n, class.Class, class.Pick.Count, class.Switch.Count)
					}
				}
			}
			if in.Lost.Unmatched() > 0 || !slices.Equal(in.Hotplugged, []sched.CPU{cpu}) {
				t.Errorf("step %d: lost %+v, heard of cores %v", i, in.Lost, in.Hotplugged)
			}
		}
		// A switch under way at a snapshot is of either side.
		if made := switches() - from; counted > made+1 || counted+1 < made {
			t.Errorf("%d switches counted of %d", counted, made)
		}
	}
}

// checkLateCore opens a collector while the core is offline, brings it online, and requires
// that its work is counted and recorded like that of the other cores.
func checkLateCore(t *testing.T, cpu sched.CPU, plug func(in bool)) {
	t.Helper()
	var file bytes.Buffer
	c := record(t, &file)
	if slices.ContainsFunc(c.cores, func(core *core) bool { return core.cpu == cpu }) {
		t.Fatalf("core %d is there before it comes", cpu)
	}
	take := func() *Snapshot {
		s, err := c.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	before := take()
	opened := before.opened
	time.Sleep(20 * time.Millisecond)
	came := c.now()
	plug(true)
	wake := make(chan bool)
	const turns = 211
	bpftest.OnOwnThread(cpu, func(err error) {
		for range turns {
			time.Sleep(50 * time.Microsecond)
		}
		wake <- err == nil
	})
	if !<-wake {
		t.Fatalf("no thread can be pinned to core %d", cpu)
	}
	after := take()
	in, err := after.Since(before)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(in.Cores, func(core report.Core) bool { return core.CPU == cpu })
	if i < 0 || !slices.IsSortedFunc(in.Cores, func(a, b report.Core) int { return int(a.CPU - b.CPU) }) {
		t.Fatalf("core %d came and is not counted: %+v", cpu, in.Cores)
	}
	core, switches := in.Cores[i], uint64(0)
	for _, class := range core.Classes {
		switches += class.Switches
	}
	off := core.Total() - core.WallNS
	if max(off, -off) > core.WallNS/1000 ||
		core.IdleNS < int64(came-before.at) || core.WallNS < int64(after.at-before.at) {
		t.Errorf("idle %d, workers %d, others %d, own %d of %d ns: it was offline for the first %d of %d",
			core.IdleNS, core.WorkersNS, core.OthersNS, core.SelfNS, core.WallNS, came-before.at, after.at-before.at)
	}
	if switches < turns || in.Lost.Unwatched > 0 || in.Lost.Unmatched() > 0 || !slices.Contains(in.Hotplugged, cpu) {
		t.Errorf("%d switches, lost %+v, heard of cores %v", switches, in.Lost, in.Hotplugged)
	}
	// What it counts from now on does not contain what it has counted up to now.
	next, err := take().Since(after)
	if err != nil {
		t.Fatal(err)
	}
	for _, core := range next.Cores {
		off := core.Total() - core.WallNS
		if core.WallNS > int64(c.now()-after.at) || max(off, -off) > core.WallNS/1000+1000 {
			t.Errorf("core %d: %d of %d ns since the snapshot, opened %d ago",
				core.CPU, core.Total(), core.WallNS, c.now()-opened)
		}
	}
	plug(false) // the events that it has not sent are recorded nevertheless
	end, err := c.FinishRecording()
	if err != nil {
		t.Fatal(err)
	}
	got := readRecording(t, file.Bytes())
	n := uint64(len(got.switches[cpu]))
	if n < switches || end.Switches != end.Counted || end.Lost != 0 || got.lost != 0 {
		t.Errorf("%d switches of the core are recorded, %d were counted: %+v", n, switches, end)
	}
}

// A core that comes online for the first time is counted from then on, and was idle before.
func TestCoreThatComesLaterIsCounted(t *testing.T) {
	bpftest.Require(t)
	cpu, plug := bpftest.PluggableCore[sched.CPU](t)
	plug(false)
	checkLateCore(t, cpu, plug)
}

// So is one whose number is lower than that of a core that is online.
func TestCoreInAHoleIsCounted(t *testing.T) {
	bpftest.Require(t)
	online, err := hostinfo.OnlineCPUs()
	if err != nil {
		t.Fatal(err)
	}
	possible, err := hostinfo.PossibleCPUs()
	if err != nil {
		t.Fatal(err)
	}
	hole := slices.IndexFunc(possible, func(cpu sched.CPU) bool {
		return !slices.Contains(online, cpu) && cpu < slices.Max(online)
	})
	if hole < 0 {
		bpftest.Lacks(t, false, "no core is offline between those that are online, %v", online)
	}
	cpu := possible[hole]
	checkLateCore(t, cpu, bpftest.Plug(t, cpu))
}
