package collector

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
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
	runs := l.attached.HookUse().Runs
	defer func() { l.ownRuns += l.attached.HookUse().Runs - runs }()
	start := time.Now()
	var links []link.Link
	// The hook of pick goes first, since its stamps would stay.
	defer func() {
		err = errors.Join(err, l.objs.Timing.Set(uint32(0)))
		for _, hook := range slices.Backward(links) {
			err = errors.Join(err, hook.Close())
		}
		l.counted.window += time.Since(start)
	}()
	for _, h := range []bpf.Hook{l.objs.Switch, l.objs.Pick} {
		if h.Name == "" {
			continue
		}
		hook, err := attach(h)
		if err != nil {
			return fmt.Errorf("attach to %s: %w", h.Name, explain(err))
		}
		links = append(links, hook)
	}
	if err := l.objs.Timing.Set(uint32(1)); err != nil {
		return fmt.Errorf("time the phases of switches: %w", err)
	}
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
	l.counted.took += tookNow - took
	l.counted.switches += switchesNow - switches
	return nil
}

// HookUse is that of a Collector. It leaves out the runs that the kernel counted for this Live.
func (l *Live) HookUse() hostinfo.HookUse {
	use := l.attached.HookUse()
	use.Runs -= min(use.Runs, l.ownRuns)
	return use
}

// programTime is what the programs that are attached all the time have taken while the kernel timed them.
func (l *Live) programTime() (sum time.Duration, err error) {
	for _, h := range l.objs.Hooks {
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
// time in which the kernel measured it.
func (l *Live) readOwn(r *Reading) {
	r.System.PhaseNS = l.counted.window.Nanoseconds()
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
}
