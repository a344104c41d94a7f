package collector

import (
	"maps"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
)

// livePairs reads who takes the cores of tasks and who wakes them. The kernel's sums only grow, so that nothing is
// lost or counted twice: what comes while they are read is counted the next time.
type livePairs struct {
	memory   []byte
	partners []bpf.Partners // the kernel's, by slot
	seen     map[taskID]*seenPartners
	// These are of the reading under way.
	sums      map[report.PairKey]*pairSum
	processes map[sched.PID]string
}

// seenPartners are what was read of a task before.
type seenPartners struct {
	takers, wakers seenList
}

type seenList struct {
	turns [len(bpf.PartnerList{}.Who)]uint64
	sums  [len(bpf.PartnerList{}.Sum)]bpf.PartnerSum
}

type pairSum struct{ count, wait uint64 }

func newLivePairs(taken *bpf.Stacks) (p *livePairs, err error) {
	p = &livePairs{seen: make(map[taskID]*seenPartners)}
	p.begin()
	p.partners, p.memory, err = mapMemory[bpf.Partners](taken.Partners)
	return p, err
}

func (p *livePairs) begin() {
	p.sums, p.processes = make(map[report.PairKey]*pairSum), make(map[sched.PID]string)
}

func (p *livePairs) close() error {
	if p == nil || p.memory == nil {
		return nil
	}
	err := unix.Munmap(p.memory)
	p.memory, p.partners = nil, nil
	return err
}

// read adds what has happened to a task since it was read before, and says who it is.
func (p *livePairs) read(id taskID, task *report.Task) {
	if p == nil {
		return
	}
	if now, ok := p.copy(id); ok { // otherwise it is read the next time
		p.add(id, &now, report.PairTask{
			PID: task.PID, Process: task.Process, Comm: task.Comm,
			Group: task.Group, UID: task.UID, Kernel: task.Kernel,
		})
	}
}

func (p *livePairs) add(id taskID, now *bpf.Partners, task report.PairTask) {
	then := p.seen[id]
	if then == nil {
		then = &seenPartners{}
		p.seen[id] = then
	}
	if task.Process != "" {
		p.processes[task.PID] = task.Process
		task.Process = ""
	}
	p.addList(report.PairKey{Kind: report.PairTaken, HasTask: true, Task: task}, &now.Takers, &then.takers)
	p.addList(report.PairKey{Kind: report.PairWoken, HasTask: true, Task: task}, &now.Wakers, &then.wakers)
}

// forget forgets what was read of tasks of which nothing more can come.
func (p *livePairs) forget(gone func(taskID) bool) {
	maps.DeleteFunc(p.seen, func(id taskID, _ *seenPartners) bool { return gone(id) })
}

// replaced reports whether a task's place was given to another one.
func (p *livePairs) replaced(id taskID) bool {
	return atomic.LoadUint64(&p.partners[id.slot].Born) != id.born
}

// addList adds what the partners of a list have gained. The sums of a partner that has lost its place are in those of
// the others by now, with what was read of them before.
func (p *livePairs) addList(key report.PairKey, now *bpf.PartnerList, then *seenList) {
	const others = len(now.Who)
	rest := then.sums[others]
	for i := range now.Who {
		if now.Who[i].Turn != then.turns[i] {
			rest.Count += then.sums[i].Count
			rest.Wait += then.sums[i].Wait
			then.turns[i], then.sums[i] = now.Who[i].Turn, bpf.PartnerSum{}
		}
	}
	then.sums[others] = rest
	for i := range now.Who {
		who := &now.Who[i]
		key.By, key.HasBy, key.Interrupt = byPartner(who), who.Tgid != 0, who.Tgid == 0
		p.gain(key, &now.Sum[i], &then.sums[i])
	}
	key.By, key.HasBy, key.Interrupt = report.PairTask{}, false, false
	p.gain(key, &now.Sum[others], &then.sums[others])
}

// copyTries is far more than a task's partners can change while they are copied.
const copyTries = 10

// copy copies a task's partners between two changes of places. They are copied word by word, in this order on any
// core. Where the place is given to another task, or is about to be, there is nothing to copy.
func (p *livePairs) copy(id taskID) (copied bpf.Partners, ok bool) {
	const words = unsafe.Sizeof(copied) / 8
	now := &p.partners[id.slot]
	from := (*[words]uint64)(unsafe.Pointer(now))
	to := (*[words]uint64)(unsafe.Pointer(&copied))
	settled := func(now, copied *bpf.PartnerList) bool {
		return copied.Changes%2 == 0 && atomic.LoadUint64(&now.Changes) == copied.Changes
	}
	for range copyTries {
		for i := range from {
			to[i] = atomic.LoadUint64(&from[i])
		}
		if copied.Born != id.born || p.replaced(id) {
			return copied, false
		}
		if settled(&now.Takers, &copied.Takers) && settled(&now.Wakers, &copied.Wakers) {
			return copied, true
		}
	}
	return copied, false
}

func byPartner(who *bpf.Partner) report.PairTask {
	if who.Tgid == 0 {
		return report.PairTask{}
	}
	return report.PairTask{
		PID: sched.PID(who.Tgid), Comm: commText(&who.Comm), Group: who.Cgroup, UID: who.Uid,
		Kernel: who.Flags&kernelThread != 0,
	}
}

func (p *livePairs) gain(key report.PairKey, now, then *bpf.PartnerSum) {
	if now.Count < then.Count || now.Wait < then.Wait {
		return // the slot is given to another task at this moment
	}
	count, wait := now.Count-then.Count, now.Wait-then.Wait
	*then = *now
	if count == 0 && wait == 0 {
		return
	}
	sum := p.sums[key]
	if sum == nil {
		sum = &pairSum{}
		p.sums[key] = sum
	}
	sum.count += count
	sum.wait += wait
}

// next returns the pairs of the reading.
func (p *livePairs) next() []report.Pair {
	pairs := make([]report.Pair, 0, len(p.sums))
	for key, sum := range p.sums {
		pair := report.Pair{Kind: key.Kind, Interrupt: key.Interrupt, Count: sum.count, WaitNS: int64(sum.wait)}
		if key.HasTask {
			key.Task.Process = p.processes[key.Task.PID]
			pair.Task = &key.Task
		}
		if key.HasBy {
			key.By.Process = p.processes[key.By.PID]
			pair.By = &key.By
		}
		pairs = append(pairs, pair)
	}
	report.SortPairs(pairs)
	p.begin()
	return pairs
}
