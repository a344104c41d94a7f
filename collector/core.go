package collector

import (
	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
)

// core follows one core's counts in the kernel.
type core struct {
	cpu sched.CPU
	// now and last are the last two readings. fresh says that now is not part of sum yet.
	now, last bpf.Snapshot
	fresh     bool
	sum       coreCounts
	// late says that the core came online after Open and has not been read yet. absent is for
	// how long it was not online, in ns, which counts as idle.
	late   bool
	absent uint64
	// offline says that now was read while the core was offline. Then no program has reset
	// the maxima.
	offline bool
}

// classCounts are the switches of one class.
type classCounts struct {
	switches                uint64
	pick, switchPhase, cost latencies
}

// coreCounts only ever grow, except the maxima.
type coreCounts struct {
	now, hidden      uint64
	time             [len(bpf.CPUState{}.OccupiedNs)]uint64
	bookkeeping      uint64
	ticks, busyTicks uint64
	classes          [len(bpf.Sums{}.Classes)]classCounts
	slices           [len(bpf.Sums{}.Slices)]latencies
	wait             latencies
	exited           exitedCounts
}

// accumulate takes over what the core has counted since it was last read.
func (c *core) accumulate() {
	if !c.fresh {
		return
	}
	c.fresh = false
	now := &c.now
	s, hot := &c.sum, &now.Cpu
	s.now, s.time, s.bookkeeping = now.Now, hot.OccupiedNs, hot.BookkeepingNs
	s.time[bpf.OccupantIdle] += c.absent
	s.ticks, s.busyTicks, s.hidden = hot.Ticks, hot.BusyTicks, hot.HiddenSwitches
	cold, last := &now.Sums, &c.last.Sums
	for i := range cold.Classes {
		k, n, l := &s.classes[i], &cold.Classes[i], &last.Classes[i]
		k.switches = n.Switches
		k.pick.grow(n.Pick[:], l.Pick[:], n.PickSum, n.PickMax)
		k.switchPhase.grow(n.Switch[:], l.Switch[:], n.SwitchSum, n.SwitchMax)
		k.cost.grow(n.Cost[:], l.Cost[:], n.CostSum, n.CostMax)
	}
	for i := range cold.Slices {
		n := &cold.Slices[i]
		s.slices[i].grow(n.Bucket[:], last.Slices[i].Bucket[:], n.Sum, n.Max)
	}
	s.wait.grow(cold.Wait.Bucket[:], last.Wait.Bucket[:], cold.Wait.Sum, cold.Wait.Max)
	s.exited.grow(&cold.Exited, &last.Exited)
}

// snapshot returns the counts with what was under way when they were last read: the slice
// in progress, and the last switch, whose phases the kernel counts only at the next. It
// resets the maxima. timed says that this kernel shows where the switch phase ends.
func (c *core) snapshot(timed bool) coreCounts {
	s := c.sum.clone()
	c.sum.forgetMaxima()
	cpu := &c.now.Cpu
	if cpu.SliceStart == 0 {
		return s
	}
	s.time[cpu.Occupant] += s.now - cpu.SliceStart
	// Without that end, the snapshot was taken from an interrupt within the switch phase: the
	// kernel will count the switch later.
	if int(cpu.Class) >= len(s.classes) || timed && cpu.ExitStamp == 0 {
		return s
	}
	k := &s.classes[cpu.Class]
	k.switches++
	pick := uint64(cpu.PickNs)
	if cpu.PickValid != 0 {
		k.pick.add(pick)
	}
	if cpu.ExitStamp > 0 {
		k.switchPhase.add(cpu.ExitStamp - cpu.SliceStart)
	}
	if cpu.PickValid != 0 && cpu.ExitStamp > 0 {
		k.cost.add(pick + cpu.ExitStamp - cpu.SliceStart)
	}
	return s
}

func (s coreCounts) clone() coreCounts {
	for i := range s.classes {
		k := &s.classes[i]
		k.pick, k.switchPhase, k.cost = k.pick.clone(), k.switchPhase.clone(), k.cost.clone()
	}
	for i := range s.slices {
		s.slices[i] = s.slices[i].clone()
	}
	s.wait = s.wait.clone()
	s.exited = s.exited.clone()
	return s
}

func (s *coreCounts) forgetMaxima() {
	for i := range s.classes {
		k := &s.classes[i]
		k.pick.max, k.switchPhase.max, k.cost.max = 0, 0, 0
	}
	for i := range s.slices {
		s.slices[i].max = 0
	}
	s.wait.max = 0
	s.exited.forgetMaxima()
}

// since returns what happened on the core between two snapshots. Ticks are
// left out unless the kernel's tick was recognised.
func (s *coreCounts) since(before *coreCounts, cpu sched.CPU, ticks bool) report.Core {
	r := report.Core{
		CPU:       cpu,
		WallNS:    int64(s.now - before.now),
		IdleNS:    int64(s.time[bpf.OccupantIdle] - before.time[bpf.OccupantIdle]),
		WorkersNS: int64(s.time[bpf.OccupantWatched] - before.time[bpf.OccupantWatched]),
		OthersNS:  int64(s.time[bpf.OccupantOther] - before.time[bpf.OccupantOther]),
		SelfNS:    int64(s.bookkeeping - before.bookkeeping),
		Wait:      s.wait.since(before.wait),
	}
	if ticks {
		all, busy := s.ticks-before.ticks, s.busyTicks-before.busyTicks
		r.Ticks, r.BusyTicks = &all, &busy
	}
	for i, class := range report.Classes() {
		now, then := &s.classes[i], &before.classes[i]
		if now.switches == then.switches {
			continue
		}
		r.Classes = append(r.Classes, report.ClassStats{
			Class:    class,
			Switches: now.switches - then.switches,
			Pick:     now.pick.since(then.pick),
			Switch:   now.switchPhase.since(then.switchPhase),
			Cost:     now.cost.since(then.cost),
		})
	}
	for i, cause := range report.Causes() {
		if length := s.slices[i].since(before.slices[i]); length.Count > 0 {
			r.Slices = append(r.Slices, report.SliceStats{EndedBy: cause, Length: length})
		}
	}
	return r
}
