package collector

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/report"
)

// testRunOnCPU is BPF_F_TEST_RUN_ON_CPU.
const testRunOnCPU = 1

// taskID is a task's name for life: its tid can be another's later, and change.
type taskID struct {
	tid  uint32
	born uint64
}

func idOf(w *bpf.Worker) taskID { return taskID{w.Id, w.Born} }

// Snapshot is a copy of all counts, each core's of one instant. The slices in
// progress are part of it.
type Snapshot struct {
	number uint64
	cpus   []int
	cores  []coreCounts
	alive  map[taskID]bpf.Worker
	ended  endedTasks
	base   map[taskID]Task // of the tasks that ended since the snapshot before
	totals bpf.Totals
	steal  map[int]time.Duration
	pick   bool
	swtch  bool
	plug   []int // cores that have gone or come since Open
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
	// Hotplugged are the cores that have gone offline or come online since Open. A
	// core counts as idle while it is away, and tasks pinned to it get other cores.
	Hotplugged []int
}

// Snapshot copies what the kernel has counted so far.
func (c *Collector) Snapshot() (*Snapshot, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.read(); err != nil {
		return nil, err
	}
	// At once, before anything slow: the records go on counting.
	records, err := c.readWorkers()
	if err != nil {
		return nil, err
	}
	c.fold()
	c.taken++
	s := &Snapshot{
		number: c.taken,
		alive:  make(map[taskID]bpf.Worker),
		base:   make(map[taskID]Task),
		pick:   c.objs.Pick != "",
		swtch:  c.objs.Switch != "",
		plug:   c.hotplug.changed(),
	}
	for i := range c.cores {
		s.cpus = append(s.cpus, c.cores[i].cpu)
		s.cores = append(s.cores, c.cores[i].snapshot(s.swtch))
	}
	if err := c.addTasks(s, records); err != nil {
		return nil, err
	}
	if s.totals, err = c.totals(); err != nil {
		return nil, err
	}
	if s.steal, err = readSteal(); err != nil {
		return nil, err
	}
	return s, nil
}

// keepUp reads the cores so that no 32-bit slot can wrap twice unseen.
func (c *Collector) keepUp() error {
	// A snapshot under way reads them too, and waits for the caller of keepUp.
	if !c.mu.TryLock() {
		return nil
	}
	defer c.mu.Unlock()
	if err := c.read(); err != nil {
		return err
	}
	c.fold()
	return nil
}

// fold takes over what read has found.
func (c *Collector) fold() {
	for i := range c.cores {
		c.cores[i].fold()
	}
}

// read copies every core's counts. The program runs on the core itself, from
// an interrupt, so no switch can come between.
func (c *Collector) read() error {
	for i := range c.cores {
		core := &c.cores[i]
		core.last = core.now
		ret, err := c.objs.Snapshot.Run(&ebpf.RunOptions{Flags: testRunOnCPU, CPU: uint32(core.cpu)})
		if err == nil && ret != 0 {
			err = fmt.Errorf("program returned %d", ret)
		}
		switch {
		case errors.Is(err, unix.ENXIO):
			err = c.readAway(core)
		case err == nil:
			if err = c.objs.Shadow.Lookup(uint32(0), &core.now); err == nil && core.away {
				core.away = false
				forgetSeen(&core.now.Sums, &core.last.Sums)
			}
		}
		if err != nil {
			return fmt.Errorf("take snapshot of core %d: %w", core.cpu, err)
		}
	}
	return nil
}

// addTasks adds the watched tasks' records, each with its slice in progress.
func (c *Collector) addTasks(s *Snapshot, records []bpf.Worker) error {
	for i := range c.cores {
		now := &c.cores[i].now
		raw := &now.Core
		if raw.Since > 0 && raw.Holder == bpf.HolderWorker && records[raw.Slot].Tid != 0 {
			// The record may have gone on since; what the core saw has not.
			records[raw.Slot].OnCpu = now.Held + now.Now - raw.Since
		}
	}
	for _, w := range records {
		if w.Tid != 0 {
			s.alive[idOf(&w)] = w
		}
	}
	var err error
	if s.ended, err = c.ring.ended(); err != nil {
		return err
	}
	for i := range s.ended.rows {
		id := idOf(&s.ended.rows[i].Worker)
		delete(s.alive, id) // it ended after the record was read
		if base, ok := c.base[id]; ok {
			s.base[id] = base
			delete(c.base, id)
		}
	}
	return nil
}

func (c *Collector) readWorkers() ([]bpf.Worker, error) {
	n := int(c.objs.Workers.MaxEntries())
	records, keys := make([]bpf.Worker, n), make([]uint32, n)
	var cursor ebpf.MapBatchCursor
	read, err := c.objs.Workers.BatchLookup(&cursor, keys, records, nil)
	if err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
		return nil, fmt.Errorf("read watched tasks: %w", err)
	}
	if read != n {
		return nil, fmt.Errorf("read watched tasks: got %d of %d", read, n)
	}
	return records, nil
}

// Since returns what happened between the snapshot before and s, which must
// have been taken one right after the other.
func (s *Snapshot) Since(before *Snapshot) (Interval, error) {
	if s.number != before.number+1 {
		return Interval{}, fmt.Errorf("subtract snapshots: number %d does not follow number %d", s.number, before.number)
	}
	in := Interval{Hotplugged: s.plug}
	for i, cpu := range s.cpus {
		core := s.cores[i].since(&before.cores[i], cpu, s.totals.TickFunction != 0)
		now, known := s.steal[cpu]
		if then, ok := before.steal[cpu]; ok && known { // the kernel tells it of cores that are online
			core.StealNS = int64(now - then)
		}
		in.Cores = append(in.Cores, core)
		if created := s.cores[i].lives.since(&before.cores[i].lives); created.Tasks > 0 {
			if in.Created == nil {
				in.Created = &report.Created{}
			}
			in.Created.Add(created)
		}
	}
	in.Lost = report.Lost{
		MapFull:      s.totals.MapFull - before.totals.MapFull,
		DroppedTasks: s.totals.DroppedTasks - before.totals.DroppedTasks,
		Unwatched:    s.totals.UnwatchedCore - before.totals.UnwatchedCore,
	}
	for i := range s.cores {
		in.Lost.Unseen += s.cores[i].unseen - before.cores[i].unseen
	}
	for _, core := range in.Cores {
		for _, class := range core.Classes {
			if s.pick {
				in.Lost.UnmatchedPick += class.Switches - class.Pick.Count
			}
			if s.swtch {
				in.Lost.UnmatchedSwitch += class.Switches - class.Switch.Count
			}
		}
	}
	// Each time that a core's holder was not reported explains one of these.
	in.Lost.UnmatchedSwitch -= min(in.Lost.UnmatchedSwitch, in.Lost.Unseen)
	in.Tasks = s.tasksSince(before)
	return in, nil
}

// tasksSince returns a row a task, and one row for all that ended beyond maxEndedRows.
func (s *Snapshot) tasksSince(before *Snapshot) []report.Worker {
	type born struct {
		record *bpf.Worker
		row    report.Worker
	}
	var tasks []born
	for id, w := range s.alive {
		then := before.alive[id]
		row := taskRow(&w, &then)
		row.Comm = readComm(w.Tgid, w.Tid)
		tasks = append(tasks, born{&w, row})
	}
	for i := range s.ended.rows {
		o := &s.ended.rows[i]
		id := idOf(&o.Worker)
		then := before.alive[id]
		tasks = append(tasks, born{&o.Worker, endedRow(o, &then, s.base[id])})
	}
	slices.SortFunc(tasks, func(a, b born) int { return byBirth(a.record, b.record) })
	var rows []report.Worker
	for _, t := range tasks {
		rows = append(rows, t.row)
	}
	if s.ended.merged > 0 {
		row := endedRow(&s.ended.rest, &bpf.Worker{}, Task{})
		row.Merged = s.ended.merged
		rows = append(rows, row)
	}
	for i := range rows {
		rows[i].Index = i
	}
	return rows
}
