package collector

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/collector/hostinfo"
)

// programTimes is what was measured while the phases of switches were timed, since the last reading.
type programTimes struct {
	// window is how long that was, switches how many there were on all cores meanwhile, and took what
	// the programs took of them.
	window, took time.Duration
	switches     uint64
}

// TimePhases times the phases of switches, and the eBPF programs themselves, for so long, or until ctx is
// cancelled. A switch costs more meanwhile.
func (l *Live) TimePhases(ctx context.Context, d time.Duration) (err error) {
	// What the kernel counts until it has stopped timing, it counts for this Live.
	runs := l.attached.HookUse().Runs
	defer func() { l.ownRuns += l.attached.HookUse().Runs - runs }()
	// The kernel times programs while this descriptor is open. That takes CAP_SYS_ADMIN, so it is often
	// possible only at first: then what was measured then goes on to be used.
	stats, err := ebpf.EnableStats(uint32(unix.BPF_STATS_RUN_TIME))
	if err != nil && !errors.Is(err, ebpf.ErrNotSupported) && !errors.Is(err, unix.EPERM) {
		return fmt.Errorf("time the eBPF programs: %w", err)
	}
	if stats != nil {
		defer func() { err = errors.Join(err, stats.Close()) }()
	}
	switches, err := l.switches()
	if err != nil {
		return err
	}
	took, err := l.programTime()
	if err != nil {
		return err
	}
	start := time.Now()
	if !l.timesAll {
		var phases attached
		defer func() { err = errors.Join(err, l.endPhases(&phases)) }()
		if err := l.beginPhases(&phases); err != nil {
			return err
		}
	}
	defer func() { l.counted.window += time.Since(start) }()
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
	if stats == nil {
		return nil
	}
	tookNow, err := l.programTime()
	if err != nil {
		return err
	}
	switchesNow, err := l.switches()
	if err != nil {
		return err
	}
	l.counted.took += max(0, tookNow-took)
	l.counted.switches += switchesNow - switches
	return nil
}

// TimeAllPhases times the phases of every switch from now on. Each then costs more, by two hooks and four
// readings of the clock.
func (l *Live) TimeAllPhases() error {
	l.timesAll, l.own = true, nil
	return l.beginPhases(&l.attached)
}

func (l *Live) beginPhases(to *attached) error {
	for _, h := range []bpf.Hook{l.objs.Switch, l.objs.Pick} {
		if h.Name == "" {
			continue
		}
		if err := to.attach(h); err != nil {
			return err
		}
	}
	if err := l.objs.Timing.Set(uint32(1)); err != nil {
		return fmt.Errorf("time the phases of switches: %w", err)
	}
	return nil
}

// endPhases takes the hook of pick away first, since its stamps would stay.
func (l *Live) endPhases(phases *attached) error {
	slices.Reverse(phases.links)
	return errors.Join(l.objs.Timing.Set(uint32(0)), phases.detach())
}

// HookUse is that of a Collector. It leaves out the runs that the kernel counted for this Live.
func (l *Live) HookUse() hostinfo.HookUse {
	use := l.attached.HookUse()
	use.Runs -= min(use.Runs, l.ownRuns)
	return use
}

// programTime is what the programs that are attached all the time have taken while the kernel timed them, less what
// taking stacks took since OpenLive: that does not depend on the number of switches.
func (l *Live) programTime() (sum time.Duration, err error) {
	if l.why != nil {
		for _, c := range l.cores {
			core, err := l.objs.Stacks.Budget(int(c.cpu))
			if err != nil {
				return 0, err
			}
			sum -= time.Duration(core.WalkNs)
		}
	}
	for _, h := range l.all() {
		stats, err := h.Program.Stats()
		if err != nil {
			return 0, fmt.Errorf("read statistics of %s: %w", h.Name, err)
		}
		sum += stats.Runtime
	}
	return sum, nil
}

// switches returns how many switches all cores have made.
func (l *Live) switches() (sum uint64, err error) {
	var page bpf.CPUState
	for _, c := range l.cores {
		if err := l.objs.CPUs.Lookup(uint32(c.cpu), &page); err != nil {
			return 0, fmt.Errorf("read switches of core %d: %w", c.cpu, err)
		}
		sum += page.Switches
	}
	return sum, nil
}

// readOwn estimates what the programs took of the interval: in proportion to the switches, as in the
// time in which the kernel measured it, and what taking stacks took.
func (l *Live) readOwn(r *Reading) {
	r.System.PhaseNS = l.counted.window.Nanoseconds()
	if l.timesAll {
		r.System.PhaseNS = r.DurationNS
	}
	if l.counted.switches > 0 {
		l.perSwitch = float64(l.counted.took.Nanoseconds()) / float64(l.counted.switches)
		l.sampled = l.counted.window
	}
	l.counted = programTimes{}
	if l.perSwitch == 0 {
		return
	}
	var all uint64
	for i := range r.Cores {
		for _, class := range r.Cores[i].Classes {
			all += class.Switches
		}
	}
	r.System.ProgramSampleNS = l.sampled.Nanoseconds()
	r.System.ProgramNS = int64(l.perSwitch * float64(all))
	if r.Why != nil {
		r.System.ProgramNS += r.Why.WalkNS
	}
}
