package collector

import (
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
	partners []bpf.Partners  // the kernel's, by slot
	seen     []*seenPartners // what was read before, by slot; nil where nothing was
	// These are of the reading under way.
	sums      map[report.PairKey]*pairSum
	processes map[sched.PID]string
}

type seenPartners struct {
	born           uint64
	takers, wakers seenList
}

type seenList struct {
	turns [len(bpf.PartnerList{}.Who)]uint64
	sums  [len(bpf.PartnerList{}.Sum)]bpf.PartnerSum
}

type pairSum struct{ count, wait uint64 }

func newLivePairs(objs *bpf.Light) (p *livePairs, err error) {
	p = &livePairs{sums: make(map[report.PairKey]*pairSum), processes: make(map[sched.PID]string)}
	p.partners, p.memory, err = mapMemory[bpf.Partners](objs.Stacks.Partners)
	p.seen = make([]*seenPartners, len(p.partners))
	return p, err
}

func (p *livePairs) close() error {
	if p == nil || p.memory == nil {
		return nil
	}
	err := unix.Munmap(p.memory)
	p.memory, p.partners = nil, nil
	return err
}

// read adds what has happened to the task in a slot since it was read before. born is when its record began, and
// task who it is.
func (p *livePairs) read(slot uint32, born uint64, task *report.Task) {
	if p == nil {
		return
	}
	now, then := &p.partners[slot], p.seen[slot]
	if atomic.LoadUint64(&now.Born) != born {
		return // it has just been given to another task, or this one has none
	}
	if then == nil || then.born != born {
		then = &seenPartners{born: born}
		p.seen[slot] = then
	}
	if task.Process != "" {
		p.processes[task.PID] = task.Process
	}
	key := report.PairKey{HasTask: true, Task: report.PairTask{
		PID: task.PID, Comm: task.Comm, Group: task.Group, UID: task.UID, Kernel: task.Kernel,
	}}
	key.Kind = report.PairTaken
	p.add(key, &now.Takers, &then.takers)
	key.Kind = report.PairWoken
	p.add(key, &now.Wakers, &then.wakers)
}

// add adds what the partners of a list have gained. The sums of a partner that has lost its place are in those of
// the others by now, with what was read of them before.
func (p *livePairs) add(key report.PairKey, list *bpf.PartnerList, then *seenList) {
	now, ok := copyList(list)
	if !ok {
		return // it is read the next time
	}
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

// copyTries is far more than a list can change while it is copied.
const copyTries = 10

// copyList copies a list between two changes of its places. It is copied word by word, in this order on any core.
func copyList(list *bpf.PartnerList) (copied bpf.PartnerList, ok bool) {
	const words = unsafe.Sizeof(copied) / 8
	from := (*[words]uint64)(unsafe.Pointer(list))
	to := (*[words]uint64)(unsafe.Pointer(&copied))
	for range copyTries {
		for i := range from {
			to[i] = atomic.LoadUint64(&from[i])
		}
		if copied.Changes%2 == 0 && atomic.LoadUint64(&list.Changes) == copied.Changes {
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
		key.Task.Process = p.processes[key.Task.PID]
		pair.Task = &key.Task
		if key.HasBy {
			key.By.Process = p.processes[key.By.PID]
			pair.By = &key.By
		}
		pairs = append(pairs, pair)
	}
	report.SortPairs(pairs)
	clear(p.sums)
	clear(p.processes)
	return pairs
}
