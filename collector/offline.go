package collector

import (
	"errors"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/report/histogram"
)

// readOffline copies the counts of a core that is offline, where no program can run. It adds
// the core's log to the copy, as the kernel side will when the core is back.
//
// st_snapshot cannot do that from another core. It empties the log and corrects the account
// where they are, which only the core itself may do: the core can come online at any moment,
// and would then write there too. To work on a copy, the kernel side would need a second flush
// and a second find_occupant, or a branch in those that every switch runs, and the verifier's
// time for them at each start.
func (c *Collector) readOffline(core *core) error {
	cpu := uint32(core.cpu)
	now := &core.now
	for settled := false; !settled; {
		var again bpf.CPUState
		err := errors.Join(
			c.objs.CPUs.Lookup(cpu, &now.Cpu),
			c.objs.Sums.Lookup(cpu, &now.Sums),
			c.objs.CPUs.Lookup(cpu, &again),
		)
		if err != nil {
			return err
		}
		// On its way offline the core may switch once more.
		settled = again.Switches == now.Cpu.Switches
	}
	now.Now = c.now()
	now.Sent = now.Now
	addLog(now)
	assumeIdle(now)
	return nil
}

// addLog does what flush in bpf/log.h does.
func addLog(now *bpf.Snapshot) {
	sums := &now.Sums
	for i := range min(int(now.Cpu.Logged), len(now.Cpu.Log)) {
		e := &now.Cpu.Log[i]
		if e.WaitValid != 0 {
			addToHist(&sums.Wait, e.WaitNs)
		}
		if int(e.Cause) < len(sums.Slices) {
			addToHist(&sums.Slices[e.Cause], e.SliceNs)
		}
		if int(e.Class) < len(sums.Classes) {
			addPhases(&sums.Classes[e.Class],
				uint64(e.PickNs), uint64(e.SwitchNs), e.PickValid != 0, e.SwitchValid != 0)
		}
	}
	now.Cpu.Logged = 0
}

// assumeIdle does what find_occupant in bpf/switch.h does, for a core that has gone offline:
// its last switch, to the idle task, is hidden, since no tracepoint fires on a core that is
// no longer online.
func assumeIdle(now *bpf.Snapshot) {
	c := &now.Cpu
	if c.SliceStart == 0 || c.Occupant == bpf.OccupantIdle {
		return
	}
	from := max(c.SliceStart, c.ExitStamp)
	c.OccupiedNs[c.Occupant] += from - c.SliceStart
	if int(c.Class) < len(now.Sums.Classes) {
		addPhases(&now.Sums.Classes[c.Class], uint64(c.PickNs), 0, c.PickValid != 0, false)
	}
	c.Class = uint32(len(now.Sums.Classes))
	c.SliceStart, c.ExitStamp, c.Occupant = from, from, bpf.OccupantIdle
	c.HiddenSwitches++
}

func addToHist(s *bpf.Hist, v uint64) {
	s.Sum += v
	s.Max = max(s.Max, v)
	s.Bucket[min(histogram.BucketOf(v), len(s.Bucket)-1)]++
}

func addPhases(p *bpf.ClassHists, pick, switchPhase uint64, timedPick, timedSwitch bool) {
	count := func(bucket []uint32, sum, highest *uint64, v uint64) {
		*sum += v
		*highest = max(*highest, v)
		bucket[min(histogram.BucketOf(v), len(bucket)-1)]++
	}
	p.Switches++
	if timedPick {
		count(p.Pick[:], &p.PickSum, &p.PickMax, pick)
	}
	if timedSwitch {
		count(p.Switch[:], &p.SwitchSum, &p.SwitchMax, switchPhase)
	}
	if timedPick && timedSwitch {
		count(p.Cost[:], &p.CostSum, &p.CostMax, pick+switchPhase)
	}
}

// forgetSeen drops the maxima that were read already while the core was offline: no program
// has reset them.
func forgetSeen(now, last *bpf.Sums) {
	forget := func(highest *uint64, seen uint64) {
		if *highest == seen {
			*highest = 0
		}
	}
	for i := range now.Classes {
		n, l := &now.Classes[i], &last.Classes[i]
		forget(&n.PickMax, l.PickMax)
		forget(&n.SwitchMax, l.SwitchMax)
		forget(&n.CostMax, l.CostMax)
	}
	for i := range now.Slices {
		forget(&now.Slices[i].Max, last.Slices[i].Max)
	}
	forget(&now.Wait.Max, last.Wait.Max)
	forget(&now.Exited.Start.Max, last.Exited.Start.Max)
	forget(&now.Exited.Run.Max, last.Exited.Run.Max)
	forget(&now.Exited.End.Max, last.Exited.End.Max)
}
