package collector

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
)

// testRunOnCPU is BPF_F_TEST_RUN_ON_CPU.
const testRunOnCPU = 1

// taskID identifies a task for life. A tid does not: it can change, and be given to another
// task later.
type taskID struct {
	slot uint32
	born uint64
}

func idOf(o *bpf.TaskExit) taskID { return taskID{o.Slot, o.Task.Born} }

// Snapshot is a copy of all counts, each core's between two of its switches. The slices in
// progress are part of it.
type Snapshot struct {
	number    uint64
	opened    uint64 // when watching began
	at        uint64 // when the reading of the cores began
	cpus      []sched.CPU
	cores     []coreCounts
	alive     map[taskID]bpf.WatchedTask
	exited    exitedTasks
	base      map[taskID]Task // of the tasks that ended since the snapshot before
	globals   bpf.Globals
	steal     map[sched.CPU]stolenTimes
	hasPick   bool
	hasSwitch bool
	plug      []sched.CPU // cores that have gone offline or come online since Open
	plugAll   bool        // plug is complete
	why       *report.Why // since the snapshot before
}

// Interval is what happened between two snapshots.
type Interval struct {
	// Cores are in ascending order.
	Cores []report.Core
	// Tasks are the watched ones, in the order in which watching them began;
	// Index counts from 0. Kernel is set for tasks that ended.
	Tasks []report.Worker
	// Created are the counted children that ended, nil if there were none.
	Created *report.Created
	Lost    report.Lost
	// Hotplugged are the cores that have gone offline or come online since Open, ascending.
	// A core counts as idle while it is offline, also before it comes online for the first
	// time, and tasks that are pinned to it get other cores.
	Hotplugged []sched.CPU
	// HotplugUnheard says that there may be more of them: the kernel's messages about them
	// found no room, or could not be received.
	HotplugUnheard bool
	// Why is where watched tasks were when they were off their cores, nil if no stacks are taken. Its stacks
	// are those of Stacks.
	Why *report.Why
}

// Snapshot copies what the kernel has counted so far.
func (c *Collector) Snapshot() (*Snapshot, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := c.now()
	c.ring.openSnapshot()
	if err := c.read(); err != nil {
		return nil, err
	}
	// Right after the cores, before anything slow, since the records go on counting.
	records, err := c.readTasks()
	if err != nil {
		return nil, err
	}
	c.ring.readPairs(records)
	c.accumulate()
	c.taken++
	s := &Snapshot{
		number:    c.taken,
		opened:    c.opened,
		at:        at,
		alive:     make(map[taskID]bpf.WatchedTask),
		base:      make(map[taskID]Task),
		hasPick:   c.objs.Pick.Name != "",
		hasSwitch: c.objs.Switch.Name != "",
	}
	s.plug, s.plugAll = c.hotplug.changed()
	for _, core := range c.cores {
		s.cpus = append(s.cpus, core.cpu)
		s.cores = append(s.cores, core.snapshot(s.hasSwitch))
	}
	if err := c.addTasks(s, records); err != nil {
		return nil, err
	}
	if s.globals, err = c.globals(); err != nil {
		return nil, err
	}
	if s.steal, err = readSteal(); err != nil {
		return nil, err
	}
	if c.why != nil {
		if s.why, err = c.why.next(c.cores); err != nil {
			return nil, err
		}
		s.why.Pairs = c.ring.nextPairs(s.alive)
	}
	return s, nil
}

// readBeforeWrap reads the cores, so that no 32-bit bucket can wrap twice between two
// readings.
func (c *Collector) readBeforeWrap() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.read(); err != nil {
		return err
	}
	c.accumulate()
	return nil
}

// accumulate adds what read has found to each core's sums.
func (c *Collector) accumulate() {
	for _, core := range c.cores {
		core.accumulate()
	}
}

// read copies the counts of every core that has been online. The program runs on the core
// itself, from an interrupt or, on this thread's core, with preemption off: so no switch can
// come between.
func (c *Collector) read() error {
	if err := c.addCores(); err != nil {
		return err
	}
	for _, core := range c.cores {
		if err := c.readCore(core); err != nil {
			return fmt.Errorf("take snapshot of core %d: %w", core.cpu, err)
		}
	}
	return nil
}

func (c *Collector) readCore(core *core) error {
	core.accumulate() // what remains if the last reading failed on another core
	ret, err := c.objs.Snapshot.Run(&ebpf.RunOptions{Flags: testRunOnCPU, CPU: uint32(core.cpu)})
	if err == nil && ret != 0 {
		err = fmt.Errorf("program returned %d", ret)
	}
	offline := errors.Is(err, unix.ENXIO)
	if err != nil && !offline {
		return err
	}
	core.last = core.now
	if offline {
		c.hotplug.noticed(core.cpu)
		err = c.readOffline(core)
	} else {
		err = c.objs.SnapshotBuf.Lookup(uint32(0), &core.now)
	}
	if err != nil {
		core.now = core.last
		return err
	}
	if core.offline && !offline {
		forgetSeen(&core.now.Sums, &core.last.Sums)
	}
	core.offline, core.fresh = offline, true
	if core.late {
		core.late = false
		core.absent = firstSeen(&core.now) - c.opened
	}
	return nil
}

// addTasks adds the watched tasks' records, each with its slice in progress.
func (c *Collector) addTasks(s *Snapshot, records []bpf.WatchedTask) error {
	for _, core := range c.cores {
		now := &core.now
		cpu := &now.Cpu
		if cpu.SliceStart == 0 || cpu.Occupant != bpf.OccupantWatched {
			continue
		}
		// The record may have gone on counting since, or be another task's by now. What the
		// core saw is of one moment.
		if w := &records[cpu.Slot]; w.Born == now.OccupantBorn {
			w.OnCpu = now.OccupantOnCpu + now.Now - cpu.SliceStart
		}
	}
	for slot, w := range records {
		if w.Key != 0 {
			s.alive[taskID{uint32(slot), w.Born}] = w
		}
	}
	var err error
	if s.exited, err = c.ring.exited(); err != nil {
		return err
	}
	s.exited.settle(func(id taskID) bool { _, seen := s.alive[id]; return seen })
	for i := range s.exited.rows {
		id := idOf(&s.exited.rows[i])
		delete(s.alive, id) // it ended after the record was read
		if base, ok := c.base[id]; ok {
			s.base[id] = base
			delete(c.base, id)
		}
	}
	return nil
}

// readTasks reads the slots that have ever been used. Those are the lowest ones, with at most
// two for each core that are just being taken.
func (c *Collector) readTasks() ([]bpf.WatchedTask, error) {
	places, err := c.places()
	if err != nil {
		return nil, err
	}
	n := int(min(places.Used+2*uint64(len(c.cores)), uint64(c.objs.Tasks.MaxEntries())))
	records, keys := make([]bpf.WatchedTask, n), make([]uint32, n)
	var cursor ebpf.MapBatchCursor
	read, err := c.objs.Tasks.BatchLookup(&cursor, keys, records, nil)
	if err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
		return nil, fmt.Errorf("read watched tasks: %w", err)
	}
	if read != n {
		return nil, fmt.Errorf("read watched tasks: got %d of %d", read, n)
	}
	return records, nil
}

// Since returns what happened between the snapshot before and s. No other snapshot may have
// been taken between the two.
func (s *Snapshot) Since(before *Snapshot) (Interval, error) {
	if s.number != before.number+1 {
		return Interval{}, fmt.Errorf("subtract snapshots: number %d does not follow number %d",
			s.number, before.number)
	}
	in := Interval{Hotplugged: s.plug, HotplugUnheard: !s.plugAll, Why: s.why}
	for i, cpu := range s.cpus {
		earlier := before.of(cpu)
		core := s.cores[i].since(earlier, cpu, s.globals.TickFunction != 0)
		in.Lost.HiddenSwitches += s.cores[i].hidden - earlier.hidden
		now, known := s.steal[cpu]
		if then, ok := before.steal[cpu]; ok && known { // the kernel lists only cores that are online
			core.StealNS = (now.steal - then.steal).Nanoseconds()
			// The kernel's count may step back.
			core.InterruptNS = max(0, (now.interrupts - then.interrupts).Nanoseconds())
		}
		in.Cores = append(in.Cores, core)
		if created := s.cores[i].exited.since(&earlier.exited); created.Tasks > 0 {
			if in.Created == nil {
				in.Created = &report.Created{}
			}
			in.Created.Add(created)
		}
	}
	in.Lost.MapFull = s.globals.MapFull - before.globals.MapFull
	in.Lost.DroppedTasks = s.globals.DroppedTasks - before.globals.DroppedTasks
	in.Lost.Unwatched = s.globals.UnwatchedCore - before.globals.UnwatchedCore
	for _, core := range in.Cores {
		for _, class := range core.Classes {
			if s.hasPick {
				in.Lost.UnmatchedPick += class.Switches - class.Pick.Count
			}
			if s.hasSwitch {
				in.Lost.UnmatchedSwitch += class.Switches - class.Switch.Count
			}
		}
	}
	// Each switch that the kernel did not report explains one of these.
	in.Lost.UnmatchedSwitch -= min(in.Lost.UnmatchedSwitch, in.Lost.HiddenSwitches)
	in.Tasks = s.tasksSince(before)
	return in, nil
}

// tasksSince returns a row for each task, and one row for all beyond maxEndedRows that ended.
func (s *Snapshot) tasksSince(before *Snapshot) []report.Worker {
	type born struct {
		record *bpf.WatchedTask
		row    report.Worker
	}
	var tasks []born
	for id, w := range s.alive {
		then := before.alive[id]
		row := taskRow(&w, &then)
		row.Comm = readComm(row.PID, row.TID)
		tasks = append(tasks, born{&w, row})
	}
	for i := range s.exited.rows {
		o := &s.exited.rows[i]
		then := before.alive[idOf(o)]
		tasks = append(tasks, born{&o.Task, endedRow(o, &then, s.base[idOf(o)])})
	}
	slices.SortFunc(tasks, func(a, b born) int { return byBirth(a.record, b.record) })
	var rows []report.Worker
	for _, t := range tasks {
		rows = append(rows, t.row)
	}
	if s.exited.merged > 0 {
		row := endedRow(&s.exited.rest, &bpf.WatchedTask{}, Task{})
		row.Merged = s.exited.merged
		rows = append(rows, row)
	}
	for i := range rows {
		rows[i].Index = i
	}
	return rows
}
