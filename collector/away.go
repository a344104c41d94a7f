package collector

import (
	"errors"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/report/histogram"
)

// readAway copies the counts of a core that is offline, on which no program can be
// run: its log is added here, as the kernel side will when the core is back.
func (c *Collector) readAway(core *core) error {
	cpu := uint32(core.cpu)
	now := &core.now
	for settled := false; !settled; {
		var again bpf.Core
		err := errors.Join(c.objs.Cores.Lookup(cpu, &now.Core), c.objs.Sums.Lookup(cpu, &now.Sums), c.objs.Cores.Lookup(cpu, &again))
		if err != nil {
			return err
		}
		// On its way out it may switch once more.
		settled = again.Switches == now.Core.Switches
	}
	now.Now = c.now()
	now.Sent = now.Now
	addLog(now)
	goIdle(now)
	return nil
}

// addLog is flush in bpf/log.h.
func addLog(now *bpf.Snapshot) {
	sums := &now.Sums
	for i := range min(int(now.Core.Logged), len(now.Core.Log)) {
		e := &now.Core.Log[i]
		if e.Waited != 0 {
			addSpread(&sums.Wait, e.Wait)
		}
		if int(e.Cause) < len(sums.Ended) {
			addSpread(&sums.Ended[e.Cause], e.Slice)
		}
		if int(e.Class) < len(sums.Classes) {
			addPhases(&sums.Classes[e.Class], uint64(e.Pick), uint64(e.Took), e.Picked != 0, e.Ended != 0)
		}
	}
	now.Core.Logged = 0
}

// goIdle is find_holder in bpf/switch.h for a core that has gone: its last switch,
// to the idle task, is hidden, since no tracepoint fires on a core that is no
// longer online.
func goIdle(now *bpf.Snapshot) {
	c := &now.Core
	if c.Since == 0 || c.Holder == bpf.HolderIdle {
		return
	}
	from := max(c.Since, c.Exit)
	c.Time[c.Holder] += from - c.Since
	if int(c.Class) < len(now.Sums.Classes) {
		addPhases(&now.Sums.Classes[c.Class], uint64(c.Pick), 0, c.Picked != 0, false)
	}
	c.Class = uint32(len(now.Sums.Classes))
	c.Since, c.Exit, c.Holder = from, from, bpf.HolderIdle
	c.Unseen++
}

func addSpread(s *bpf.Spread, v uint64) {
	s.Sum += v
	s.Max = max(s.Max, v)
	s.Bucket[min(histogram.BucketOf(v), len(s.Bucket)-1)]++
}

func addPhases(p *bpf.ClassPage, pick, took uint64, picked, ended bool) {
	count := func(bucket []uint32, sum, highest *uint64, v uint64) {
		*sum += v
		*highest = max(*highest, v)
		bucket[min(histogram.BucketOf(v), len(bucket)-1)]++
	}
	p.Switches++
	if picked {
		count(p.Pick[:], &p.PickSum, &p.PickMax, pick)
	}
	if ended {
		count(p.Switch[:], &p.SwitchSum, &p.SwitchMax, took)
	}
	if picked && ended {
		count(p.Cost[:], &p.CostSum, &p.CostMax, pick+took)
	}
}

// forgetSeen drops the maxima that were read already while the core was away: no
// program started them anew.
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
	for i := range now.Ended {
		forget(&now.Ended[i].Max, last.Ended[i].Max)
	}
	forget(&now.Wait.Max, last.Wait.Max)
	forget(&now.Lives.Start.Max, last.Lives.Start.Max)
	forget(&now.Lives.Run.Max, last.Lives.Run.Max)
	forget(&now.Lives.End.Max, last.Lives.End.Max)
}
