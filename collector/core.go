package collector

import (
	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/report"
)

// core follows one core's counts in the kernel.
type core struct {
	cpu int
	// now and last are the last two readings, and unfolded says that sum lacks now.
	now, last bpf.Snapshot
	unfolded  bool
	sum       coreCounts
	// late says that the core has not been read yet though it has switched: it came
	// online after Open. absent is for how long it had not, which counts as idle.
	late   bool
	absent uint64
	// away says that now was read while the core was offline, by no program that
	// starts the maxima anew.
	away bool
}

// classCounts are the switches of one class.
type classCounts struct {
	switches           uint64
	pick, swtch, total latencies
}

// coreCounts only ever grow, but for maxima.
type coreCounts struct {
	now, unseen      uint64
	time             [len(bpf.Core{}.Time)]uint64
	self             uint64
	ticks, busyTicks uint64
	classes          [len(bpf.Sums{}.Classes)]classCounts
	ended            [len(bpf.Sums{}.Ended)]latencies
	wait             latencies
	lives            lives
}

// fold takes over what the core has counted since it was last read.
func (c *core) fold() {
	if !c.unfolded {
		return
	}
	c.unfolded = false
	now := &c.now
	s, hot := &c.sum, &now.Core
	s.now, s.time, s.self = now.Now, hot.Time, hot.Self
	s.time[bpf.HolderIdle] += c.absent
	s.ticks, s.busyTicks, s.unseen = hot.Ticks, hot.BusyTicks, hot.Unseen
	cold, last := &now.Sums, &c.last.Sums
	for i := range cold.Classes {
		k, n, l := &s.classes[i], &cold.Classes[i], &last.Classes[i]
		k.switches = n.Switches
		k.pick.grow(n.Pick[:], l.Pick[:], n.PickSum, n.PickMax)
		k.swtch.grow(n.Switch[:], l.Switch[:], n.SwitchSum, n.SwitchMax)
		k.total.grow(n.Cost[:], l.Cost[:], n.CostSum, n.CostMax)
	}
	for i := range cold.Ended {
		n := &cold.Ended[i]
		s.ended[i].grow(n.Bucket[:], last.Ended[i].Bucket[:], n.Sum, n.Max)
	}
	s.wait.grow(cold.Wait.Bucket[:], last.Wait.Bucket[:], cold.Wait.Sum, cold.Wait.Max)
	s.lives.grow(&cold.Lives, &last.Lives)
}

// snapshot returns the counts with what was under way when they were last
// read: the slice in progress, and the last switch, whose phases the kernel
// counts only at the next. It starts the maxima anew. timed says that the
// switch phase's end is seen on this kernel.
func (c *core) snapshot(timed bool) coreCounts {
	s := c.sum.clone()
	c.sum.forgetMaxima()
	raw := &c.now.Core
	if raw.Since == 0 {
		return s
	}
	s.time[raw.Holder] += s.now - raw.Since
	// Between the switch and its end only an interrupt can have let the
	// snapshot in: then the kernel will count the switch, later.
	if int(raw.Class) >= len(s.classes) || timed && raw.Exit == 0 {
		return s
	}
	k := &s.classes[raw.Class]
	k.switches++
	pick := uint64(raw.Pick)
	if raw.Picked != 0 {
		k.pick.add(pick)
	}
	if raw.Exit > 0 {
		k.swtch.add(raw.Exit - raw.Since)
	}
	if raw.Picked != 0 && raw.Exit > 0 {
		k.total.add(pick + raw.Exit - raw.Since)
	}
	return s
}

func (s coreCounts) clone() coreCounts {
	for i := range s.classes {
		k := &s.classes[i]
		k.pick, k.swtch, k.total = k.pick.clone(), k.swtch.clone(), k.total.clone()
	}
	for i := range s.ended {
		s.ended[i] = s.ended[i].clone()
	}
	s.wait = s.wait.clone()
	s.lives = s.lives.clone()
	return s
}

func (s *coreCounts) forgetMaxima() {
	for i := range s.classes {
		k := &s.classes[i]
		k.pick.max, k.swtch.max, k.total.max = 0, 0, 0
	}
	for i := range s.ended {
		s.ended[i].max = 0
	}
	s.wait.max = 0
	s.lives.forgetMaxima()
}

// since returns what happened on the core between two snapshots. Ticks are
// left out unless the kernel's tick was recognised.
func (s *coreCounts) since(before *coreCounts, cpu int, ticks bool) report.Core {
	r := report.Core{
		CPU:       cpu,
		WallNS:    int64(s.now - before.now),
		IdleNS:    int64(s.time[bpf.HolderIdle] - before.time[bpf.HolderIdle]),
		WorkersNS: int64(s.time[bpf.HolderWorker] - before.time[bpf.HolderWorker]),
		OthersNS:  int64(s.time[bpf.HolderOther] - before.time[bpf.HolderOther]),
		SelfNS:    int64(s.self - before.self),
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
			Switch:   now.swtch.since(then.swtch),
			Cost:     now.total.since(then.total),
		})
	}
	for i, cause := range report.Causes() {
		if length := s.ended[i].since(before.ended[i]); length.Count > 0 {
			r.Slices = append(r.Slices, report.SliceStats{EndedBy: cause, Length: length})
		}
	}
	return r
}
