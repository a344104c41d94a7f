package collector

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/histogram"
	"github.com/slicetrace/slicetrace/report/sched"
)

// liveTasks reads the records of tasks, which the kernel and this process share as memory.
type liveTasks struct {
	objs   *bpf.Light
	memory [][]byte
	// These are the kernel's, by slot.
	records []bpf.WatchedTask
	facts   []bpf.TaskFacts
	dists   []bpf.Dists
	// seen are the records at the last reading, by slot.
	seen  []seenTask
	ended *bpf.EndedReader
	order uint64
	// waits are the waits under way, by slot, and newcomers the tasks that have never had a core and wait
	// for their first.
	waits     map[uint32]waitSoFar
	newcomers []newcomer
	pairs     *livePairs // nil if they are not counted
}

// waitSoFar is a wait under way. The other values are the record's, which tell it from others.
type waitSoFar struct {
	ns             int64
	born, runDelay uint64
}

// newcomer is a task that has no record yet.
type newcomer struct {
	tid   uint32
	facts *bpf.TaskFacts
	ns    int64
}

// seenTask is a task as it was when it was last read.
type seenTask struct {
	record bpf.WatchedTask
	dists  bpf.Dists
	// onCPU is the time that was in a row up to then, with that of the slice that was under way.
	onCPU uint64
	order uint64 // by first sight
}

// mapMemory maps an array into memory that the kernel side goes on changing.
func mapMemory[T any](m *ebpf.Map) (values []T, memory []byte, err error) {
	var zero T
	size := int(unsafe.Sizeof(zero))
	if int(m.ValueSize()) != size {
		return nil, nil, fmt.Errorf("map %s into memory: a value has %d bytes, not %d", m, m.ValueSize(), size)
	}
	n := int(m.MaxEntries())
	memory, err = unix.Mmap(m.FD(), 0, n*size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, nil, fmt.Errorf("map %s into memory: %w", m, err)
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(memory))), n), memory, nil
}

func newLiveTasks(objs *bpf.Light) (*liveTasks, error) {
	t := &liveTasks{objs: objs, ended: objs.NewEndedReader()}
	var errs [3]error
	var memory [3][]byte
	t.records, memory[0], errs[0] = mapMemory[bpf.WatchedTask](objs.Tasks)
	t.facts, memory[1], errs[1] = mapMemory[bpf.TaskFacts](objs.Facts)
	t.dists, memory[2], errs[2] = mapMemory[bpf.Dists](objs.Dists)
	t.memory = memory[:]
	if err := errors.Join(errs[:]...); err != nil {
		return nil, errors.Join(err, t.close())
	}
	t.seen = make([]seenTask, len(t.records))
	if objs.Stacks != nil {
		var err error
		if t.pairs, err = newLivePairs(objs.Stacks); err != nil {
			return nil, errors.Join(err, t.close())
		}
	}
	return t, nil
}

func (t *liveTasks) close() error {
	var errs []error
	for _, memory := range t.memory {
		if memory != nil {
			errs = append(errs, unix.Munmap(memory))
		}
	}
	t.memory, t.records, t.facts, t.dists = nil, nil, nil, nil
	return errors.Join(append(errs, t.pairs.close())...)
}

// read adds to r what tasks have done since the last reading. cores have just been read.
func (t *liveTasks) read(cores []*core, r *Reading) error {
	s := &r.System
	var places bpf.Places
	if err := t.objs.Places.Get(&places); err != nil {
		return fmt.Errorf("read the state of the places for watched tasks: %w", err)
	}
	running := make(map[uint32]*bpf.Snapshot)
	for _, c := range cores {
		if page := &c.now.Cpu; page.SliceStart > 0 && page.Occupant == bpf.OccupantWatched {
			running[page.Slot] = &c.now
		}
	}
	var rows []liveRow
	n := min(places.Used+2*uint64(len(cores)), uint64(len(t.records)))
	for slot := range uint32(n) {
		if row, ok := t.alive(slot, running[slot]); ok {
			rows = append(rows, row)
			t.pairs.read(taskID{slot, t.seen[slot].record.Born}, &row.Task)
		}
		if t.records[slot].Key > keyEnded {
			s.Watched++
		}
	}
	for i := range t.newcomers {
		n := &t.newcomers[i]
		row := liveRow{order: t.order + 1}
		describe(&row.Task, n.facts)
		row.TID, row.WaitingNS = sched.TID(n.tid), n.ns
		rows = append(rows, row)
		s.Watched++
	}
	for {
		slot, final, err := t.objs.NextEnded()
		if errors.Is(err, ebpf.ErrKeyNotExist) {
			break
		}
		if err != nil {
			return fmt.Errorf("read a task that ended: %w", err)
		}
		r.Ended++
		if t.reconciles(slot, &final) {
			r.Reconciled++
		}
		born := t.records[slot].Born
		row := t.finished(slot)
		rows = append(rows, row)
		t.pairs.read(taskID{slot, born}, &row.Task)
		if err := t.objs.Free(slot); err != nil {
			return err
		}
	}
	slices.SortFunc(rows, func(a, b liveRow) int { return cmp.Compare(a.order, b.order) })
	for i := range rows {
		s.Tasks = append(s.Tasks, rows[i].Task)
	}
	return t.readEnded(r)
}

// keyEnded is the key of a record that is kept after its task's end.
const keyEnded = 1

type liveRow struct {
	report.Task
	order uint64
}

// alive returns what the task in a slot has done. running is the core that it has, nil if it has none.
func (t *liveTasks) alive(slot uint32, running *bpf.Snapshot) (liveRow, bool) {
	record := &t.records[slot]
	key, born := atomic.LoadUint64(&record.Key), record.Born
	if key <= keyEnded {
		return liveRow{}, false
	}
	seen := &t.seen[slot]
	fresh := seen.record.Born != born
	if fresh {
		// From here on the record is kept for this reader when the task ends.
		if !atomic.CompareAndSwapUint64(&t.facts[slot].Sampled, bpf.SampledNever, bpf.SampledOnce) &&
			atomic.LoadUint64(&t.facts[slot].Sampled) == bpf.SampledEnded {
			return liveRow{}, false
		}
	}
	copied := *record
	if copied.Key != key || copied.Born != born {
		return liveRow{}, false // it has just ended, and is among those that are kept
	}
	partial := uint64(0)
	if running != nil && running.OccupantBorn == born {
		copied.OnCpu = running.OccupantOnCpu
		partial = running.Now - running.Cpu.SliceStart
	}
	if fresh {
		t.order++
		*seen = seenTask{order: t.order}
	}
	waiting := int64(0)
	if w := t.waits[slot]; running == nil && w.born == born && w.runDelay == copied.RunnableSince { // run_delay there
		waiting = w.ns
	}
	if copied == seen.record && copied.OnCpu+partial <= seen.onCPU && waiting == 0 {
		return liveRow{}, false
	}
	row := t.row(slot, seen, &copied, partial, fresh)
	row.WaitingNS = waiting
	return row, true
}

// describe says who a task is.
func describe(r *report.Task, facts *bpf.TaskFacts) {
	r.PID = sched.PID(facts.Tgid)
	r.Comm, r.Process = commText(&facts.Comm), commText(&facts.Process)
	r.UID, r.Group = facts.Uid, facts.Cgroup
	r.Kernel = facts.Flags&kernelThread != 0
}

// finished returns what the task in a slot did before it ended.
func (t *liveTasks) finished(slot uint32) liveRow {
	record, seen := t.records[slot], &t.seen[slot]
	fresh := seen.record.Born != record.Born
	if fresh {
		t.order++
		*seen = seenTask{order: t.order}
	}
	row := t.row(slot, seen, &record, 0, fresh)
	row.Exited = true
	*seen = seenTask{}
	return row
}

// reconciles reports whether the switches of a task that ended equal the kernel's own counts.
func (t *liveTasks) reconciles(slot uint32, final *bpf.FinalState) bool {
	var counts report.Activity
	for i, cause := range report.Causes() {
		*counts.EndedBy.At(cause) = t.records[slot].Slices[i]
	}
	facts := &t.facts[slot]
	return counts.Voluntary() == final.Nvcsw-facts.Nvcsw && counts.Involuntary() == final.Nivcsw-facts.Nivcsw
}

// row returns the difference between a record and what was seen of it, and takes the record over.
func (t *liveTasks) row(slot uint32, seen *seenTask, now *bpf.WatchedTask, partial uint64, fresh bool) liveRow {
	facts, then := &t.facts[slot], &seen.record
	dists := t.dists[slot]
	r := liveRow{order: seen.order}
	describe(&r.Task, facts)
	r.TID = sched.TID(now.Tid)
	r.Born = fresh && facts.Nvcsw+facts.Nivcsw == 0 && facts.Runtime == 0
	// Cores' clocks can differ a little, so that what was under way may have seemed longer than it was.
	onCPU := max(now.OnCpu+partial, seen.onCPU)
	r.OnCPUNS = int64(onCPU - seen.onCPU)
	r.WaitNS = int64(now.Wait - then.Wait)
	r.ThrottledNS = int64(now.Throttled - then.Throttled)
	for i, cause := range report.Causes() {
		*r.EndedBy.At(cause) = now.Slices[i] - then.Slices[i]
	}
	r.Migrations = migrationsSince(now.Moves, then.Moves)
	longest := uint64(0)
	if now.WaitMax != then.WaitMax {
		longest = now.WaitMax
	}
	r.Waits = stepHistogram(dists.Waits[:], seen.dists.Waits[:], now.Wait-then.Wait, longest)
	r.Slices = stepHistogram(dists.Slices[:], seen.dists.Slices[:], now.OnCpu-then.OnCpu, 0)
	seen.record, seen.dists, seen.onCPU = *now, dists, onCPU
	return r
}

// stepHistogram returns what a distribution in steps of half an octave has gained. longest is the largest
// of the new values, 0 if it is not known.
func stepHistogram(now, then []uint32, sum, longest uint64) histogram.Histogram {
	var counts [976]uint64
	highest := -1
	for i := range now {
		if n := now[i] - then[i]; n > 0 {
			counts[stepBucket(i)] += uint64(n)
			highest = i
		}
	}
	if highest < 0 {
		return histogram.Histogram{}
	}
	bucket := stepBucket(highest)
	low, _ := histogram.BucketBounds(bucket)
	// The record was copied before the distribution, which may have a later, longer one.
	if own := histogram.BucketOf(longest); longest > 0 && stepOf(own) == highest {
		rest := counts[bucket] - 1
		counts[bucket] = 0
		counts[own]++
		counts[min(bucket, own)] += rest
		return histogram.New(counts[:], sum, longest)
	}
	return histogram.New(counts[:bucket+1], sum, low)
}

// stepBucket returns the bucket of a histogram that stands for a step: the one in its middle.
func stepBucket(step int) int { return (bpf.FirstStep+step)*bpf.StepBuckets + bpf.StepBuckets/2 }

// stepOf returns the step in which the kernel side counts what is in a bucket.
func stepOf(bucket int) int {
	const last = len(bpf.Dists{}.Waits) - 1
	return min(max(0, bucket/bpf.StepBuckets-bpf.FirstStep), last)
}

func commText(comm *[16]int8) string {
	return validComm(bytes.Clone(unsafe.Slice((*byte)(unsafe.Pointer(&comm[0])), len(comm))))
}

// kernelThread is PF_KTHREAD, which has not changed since Linux 2.6.
const kernelThread = 0x00200000
