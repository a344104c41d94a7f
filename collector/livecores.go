package collector

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
)

// queueState is how long a core's run queue has been, up to a moment.
type queueState struct{ taskNS, seen uint64 }

// mostTries is how often a core is read again because it has switched meanwhile. Copying its page takes
// a fraction of the time between two switches of the busiest core, so a few tries are enough.
const mostTries = 1000

// readPage copies a core's hot half between two of its switches.
func (l *Live) readPage(cpu sched.CPU, page *bpf.CPUState) error {
	for range mostTries {
		var before, after bpf.CPUState
		err := errors.Join(
			l.objs.CPUs.Lookup(uint32(cpu), &before),
			l.objs.CPUs.Lookup(uint32(cpu), page),
			l.objs.CPUs.Lookup(uint32(cpu), &after),
		)
		if err != nil {
			return fmt.Errorf("read core %d: %w", cpu, err)
		}
		// Switches counts those that have been counted, Begun those that have begun.
		if after.Begun == before.Switches {
			return nil
		}
	}
	return fmt.Errorf("read core %d: it switched whenever it was read, %d times", cpu, mostTries)
}

// readCore copies both halves of a core, and the record of the task that runs there. The page and the
// record are of one moment; the histograms may hold a few switches more, which the next reading then
// lacks.
func (l *Live) readCore(c *core, now func() uint64, occupant *bpf.WatchedTask) error {
	s := &c.now
	for range mostTries {
		if err := l.readPage(c.cpu, &s.Cpu); err != nil {
			return err
		}
		s.Now = now()
		if s.Cpu.Occupant != bpf.OccupantWatched {
			break
		}
		var again bpf.CPUState
		err := errors.Join(
			l.objs.Tasks.Lookup(s.Cpu.Slot, occupant),
			l.objs.CPUs.Lookup(uint32(c.cpu), &again),
		)
		if err != nil {
			return fmt.Errorf("read the task of core %d: %w", c.cpu, err)
		}
		if again.Begun == s.Cpu.Switches {
			break
		}
	}
	if err := l.objs.Sums.Lookup(uint32(c.cpu), &s.Sums); err != nil {
		return fmt.Errorf("read core %d: %w", c.cpu, err)
	}
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
	at := now()
	var next []coreCounts
	for i, c := range l.cores {
		c.last = c.now
		var occupant bpf.WatchedTask
		if err := l.readCore(c, now, &occupant); err != nil {
			return err
		}
		page := &c.now.Cpu
		forgetSeen(&c.now.Sums, &c.last.Sums)
		// The last switch is counted already. If its phases were timed, it will be added at the next.
		page.Class = uint32(len(c.now.Sums.Classes))
		c.now.OccupantOnCpu, c.now.OccupantBorn = occupant.OnCpu, occupant.Born
		c.now.Now = max(c.now.Now, page.SliceStart)
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
	}
	l.before, l.at, l.steal = next, at, steal
	return nil
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
		l.cores = append(l.cores, &core{cpu: cpu})
		l.hotplug.noticed(cpu)
	}
	l.awaited = still
	return nil
}

// clockAtSwitch returns what the run queue's clock and CLOCK_MONOTONIC were when this thread, which must
// be locked, last took a core.
func (l *Live) clockAtSwitch(monotonic func() uint64) (bpf.ClockPair, error) {
	pair := bpf.ClockPair{Reader: uint32(unix.Gettid())}
	if err := l.objs.Clock.Set(pair); err != nil {
		return pair, err
	}
	for range 10 {
		before := monotonic()
		// The shortest sleep takes the core from this thread and gives it back.
		_ = unix.Nanosleep(&unix.Timespec{Nsec: 1}, nil)
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
