package collector

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/report"
)

// tick is the index of slices that a tick ended.
var tick = slices.Index(report.Causes(), report.EndedByTick)

// The log of a core that went offline is added as the kernel side would have added it.
func TestLogOfACoreThatWent(t *testing.T) {
	none := uint32(len(bpf.Sums{}.Classes))
	now := &bpf.Snapshot{}
	for i, e := range []struct {
		slice, wait                    uint64
		pick, switchPhase, class       uint32
		cause                          uint8
		waited, pickTimed, switchTimed bool
	}{
		{
			slice: 100, wait: 17, pick: 20, switchPhase: 33, class: 1, cause: uint8(tick),
			waited: true, pickTimed: true, switchTimed: true,
		},
		{slice: 5, pick: 21, switchPhase: 99, class: 1, cause: uint8(tick), pickTimed: true},
		{class: none, cause: uint8(len(bpf.Sums{}.Slices))},
		{slice: 7, class: 1, cause: uint8(tick)}, // beyond those that are logged
	} {
		l := &now.Cpu.Log[i]
		l.SliceNs, l.WaitNs, l.PickNs, l.SwitchNs = e.slice, e.wait, e.pick, e.switchPhase
		l.Class, l.Cause = e.class, e.cause
		l.WaitValid, l.PickValid, l.SwitchValid = flag(e.waited), flag(e.pickTimed), flag(e.switchTimed)
	}
	now.Cpu.Logged = 3
	addLog(now)
	var want bpf.Snapshot
	want.Cpu = now.Cpu
	want.Cpu.Logged = 0
	// Buckets as in TestBucketOf: below 16 a nanosecond each, 16 an octave above.
	want.Sums.Wait = bpf.Hist{Sum: 17, Max: 17}
	want.Sums.Wait.Bucket[17]++
	ended := &want.Sums.Slices[tick]
	ended.Sum, ended.Max = 105, 100
	ended.Bucket[5]++
	ended.Bucket[3*16+9]++ // 100 to 103
	class := &want.Sums.Classes[1]
	class.Switches = 2
	class.PickSum, class.PickMax = 41, 21
	class.Pick[20]++
	class.Pick[21]++
	class.SwitchSum, class.SwitchMax = 33, 33
	class.Switch[2*16]++ // 32 and 33
	class.CostSum, class.CostMax = 53, 53
	class.Cost[2*16+10]++ // 52 and 53
	if diff := cmp.Diff(want.Sums, now.Sums); diff != "" {
		t.Errorf("sums (-want +got):\n%s", diff)
	}
	if now.Cpu.Logged != 0 {
		t.Errorf("%d entries are left in the log", now.Cpu.Logged)
	}
}

func flag(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// A core that went offline has been idle since its last task's slice ended, and has made one
// more switch, whose end was not seen.
func TestCoreThatWentIsIdle(t *testing.T) {
	now := &bpf.Snapshot{}
	c := &now.Cpu
	c.SliceStart, c.ExitStamp, c.Occupant = 1000, 1300, bpf.OccupantWatched
	c.Class, c.PickNs, c.PickValid = 1, 40, 1
	assumeIdle(now)
	if c.OccupiedNs[bpf.OccupantWatched] != 300 || c.Occupant != bpf.OccupantIdle || c.SliceStart != 1300 ||
		c.HiddenSwitches != 1 || int(c.Class) != len(now.Sums.Classes) {
		t.Errorf("the core is %+v", c)
	}
	if k := now.Sums.Classes[1]; k.Switches != 1 || k.PickSum != 40 || k.SwitchSum != 0 || k.CostSum != 0 {
		t.Errorf("%d switches, %d ns of picks, %d of phases, %d of cost", k.Switches, k.PickSum, k.SwitchSum, k.CostSum)
	}
	again := now.Cpu
	assumeIdle(now)
	if diff := cmp.Diff(again, now.Cpu); diff != "" {
		t.Errorf("an idle core went idle once more (-before +after):\n%s", diff)
	}
	neverSwitched := &bpf.Snapshot{} // never switched since attaching
	assumeIdle(neverSwitched)
	if neverSwitched.Cpu.HiddenSwitches != 0 {
		t.Error("a core that has never switched went idle")
	}
}

// The maxima from while a core was offline are not the maxima of the time after.
func TestMaximaOfACoreThatCameBack(t *testing.T) {
	var now, last bpf.Sums
	now.Wait.Max, last.Wait.Max = 70, 70
	now.Slices[tick].Max, last.Slices[tick].Max = 80, 50
	now.Classes[1].CostMax, last.Classes[1].CostMax = 9, 9
	now.Exited.Run.Max, last.Exited.Run.Max = 4, 4
	forgetSeen(&now, &last)
	if now.Wait.Max != 0 || now.Slices[tick].Max != 80 || now.Classes[1].CostMax != 0 || now.Exited.Run.Max != 0 {
		t.Errorf("the maxima are %d, %d, %d and %d",
			now.Wait.Max, now.Slices[tick].Max, now.Classes[1].CostMax, now.Exited.Run.Max)
	}
}
