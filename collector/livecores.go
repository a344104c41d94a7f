package collector

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/report"
)

// queueState is how long a core's run queue has been, up to a moment.
type queueState struct{ taskNS, seen uint64 }

// A core's counts and its histograms are copied one after the other. If that took longer than copyBound,
// something kept this thread from its core in between, and they are copied again, at most mostCopies times.
const (
	copyBound  = time.Millisecond
	mostCopies = 8
)

// readCore copies both halves of a core, and what the record of the task that runs there holds. These are
// of one moment, except the histograms: they may hold a few switches more, which the next reading then
// lacks.
func (l *Live) readCore(c *core, now func() uint64) error {
	s := &c.now
	var page bpf.CorePage
	var at uint64
	for range mostCopies {
		begun := time.Now()
		// The time is taken before: later, the slice under way could have ended meanwhile, and would count
		// as longer than it was.
		at = now()
		if err := l.objs.ReadCore(int(c.cpu), &page); err != nil {
			return err
		}
		if err := l.objs.Sums.Lookup(uint32(c.cpu), &s.Sums); err != nil {
			return fmt.Errorf("read core %d: %w", c.cpu, err)
		}
		if time.Since(begun) <= copyBound {
			break
		}
	}
	s.Now = max(at, s.Now, page.CPU.SliceStart)
	s.Cpu, s.OccupantOnCpu, s.OccupantBorn = page.CPU, page.OccupantOnCPU, page.OccupantBorn
	for i, n := range s.Cpu.Classes {
		s.Sums.Classes[i].Switches = n
	}
	return nil
}

// readCores reads every core that has been online.
func (l *Live) readCores(now func() uint64, r *Reading) error {
	steal, err := readSteal()
	if err != nil {
		return err
	}
	if err := l.addCores(); err != nil {
		return err
	}
	at := max(now(), l.at)
	var next []coreCounts
	for i, c := range l.cores {
		c.last = c.now
		if err := l.readCore(c, now); err != nil {
			return err
		}
		page := &c.now.Cpu
		forgetSeen(&c.now.Sums, &c.last.Sums)
		// The last switch is counted already. If its phases were timed, it will be added at the next.
		page.Class = uint32(len(c.now.Sums.Classes))
		since := uint64(0)
		if i >= len(l.before) {
			since = l.at
		}
		c.noteAbsence(since)
		c.fresh = true
		c.accumulate()
		counts := c.snapshot(false)
		next = append(next, counts)
		then := &coreCounts{now: l.at}
		if i < len(l.before) {
			then = &l.before[i]
		}
		core := counts.since(then, c.cpu, l.globals.TickFunction != 0)
		stolen, known := steal[c.cpu]
		if before, ok := l.steal[c.cpu]; ok && known {
			core.StealNS = (stolen.steal - before.steal).Nanoseconds()
			core.InterruptNS = max(0, (stolen.interrupts - before.interrupts).Nanoseconds())
		}
		r.Cores = append(r.Cores, core)
		r.Lost.HiddenSwitches += counts.hidden - then.hidden
		r.System.Queues = append(r.System.Queues, l.queue(c))
		r.System.Arrivals = append(r.System.Arrivals, report.CoreArrivals{
			CPU: c.cpu, Migrations: migrationsSince(c.now.Cpu.Arrivals, c.last.Cpu.Arrivals),
		})
	}
	l.before, l.at, l.steal = next, at, steal
	// Those that came later are the last.
	slices.SortFunc(r.Cores, func(a, b report.Core) int { return cmp.Compare(a.CPU, b.CPU) })
	slices.SortFunc(r.System.Queues, func(a, b report.RunQueue) int { return cmp.Compare(a.CPU, b.CPU) })
	slices.SortFunc(r.System.Arrivals, func(a, b report.CoreArrivals) int { return cmp.Compare(a.CPU, b.CPU) })
	return nil
}

// migrationsSince is how much greater each count is than before. Counts can wrap.
func migrationsSince[T uint32 | uint64](now, then [bpf.Moves]T) report.MigrationCounts {
	m := func(i int) uint64 { return uint64(now[i] - then[i]) }
	return report.MigrationCounts{
		Sibling: m(bpf.ToSibling), Cache: m(bpf.ToCache), Node: m(bpf.ToNode), Remote: m(bpf.ToRemote),
		Woken: m(bpf.Woken),
	}
}

// noteAbsence counts as idle what a core that was not online has missed since then.
func (c *core) noteAbsence(since uint64) {
	switch {
	case !c.late:
	case c.now.Cpu.SliceStart == 0: // it still is not
		c.absent = c.now.Now - since
	default:
		c.absent, c.late = max(firstSeen(&c.now), since)-since, false
	}
}

// queue returns how long a core's run queue was since the last reading.
func (l *Live) queue(c *core) report.RunQueue {
	page := &c.now.Cpu
	state, before := queueState{page.QueueNs, page.QueueSeen}, l.queues[c.cpu]
	if page.Queue == 0 && state.seen > 0 {
		state.seen = max(state.seen, c.now.Now) // idle since
	}
	l.queues[c.cpu] = state
	q := report.RunQueue{CPU: c.cpu, Max: page.QueueMax}
	if before.seen > 0 {
		q.TaskNS, q.ObservedNS = int64(state.taskNS-before.taskNS), int64(state.seen-min(state.seen, before.seen))
	}
	return q
}

// addCores looks for cores that have come online since the last call.
func (l *Live) addCores() error {
	var page bpf.CPUState
	still := l.awaited[:0]
	for _, cpu := range l.awaited {
		if err := l.objs.CPUs.Lookup(uint32(cpu), &page); err != nil {
			return fmt.Errorf("look for core %d: %w", cpu, err)
		}
		if page.SliceStart == 0 {
			still = append(still, cpu)
			continue
		}
		l.cores = append(l.cores, &core{cpu: cpu, late: true})
		l.hotplug.noticed(cpu)
	}
	l.awaited = still
	return nil
}

// clockAtSwitch returns what the run queue's clock and CLOCK_MONOTONIC were when this thread, which must
// be locked, last took a core.
func (l *Live) clockAtSwitch(monotonic func() uint64) (bpf.ClockPair, error) {
	var pair bpf.ClockPair
	if _, err := l.objs.Reader.Run(&ebpf.RunOptions{}); err != nil {
		return pair, err
	}
	for try := range 12 {
		before := monotonic()
		// A short sleep takes the core from this thread and gives it back. The shortest can be over
		// before that, if the thread has real-time priority or the machine is slow.
		_ = unix.Nanosleep(&unix.Timespec{Nsec: 1 << (2 * try)}, nil)
		if err := l.objs.Clock.Get(&pair); err != nil {
			return pair, err
		}
		if pair.Monotonic >= before {
			return pair, nil
		}
	}
	return pair, errors.New("the kernel showed no switch to this thread; is it hidden from tracing?")
}

// isOffline reports whether a program could not run on a core because the core is offline.
func isOffline(err error) bool { return errors.Is(err, unix.ENXIO) }
