package collector

import (
	"fmt"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
)

// livePairs reads who takes the cores of tasks and who wakes them. The kernel's sums only grow, so that nothing is
// lost or counted twice: what comes while they are read is counted the next time.
type livePairs struct {
	objs     *bpf.Light
	reading  uint32
	memory   []byte
	partners []bpf.Partners  // the kernel's, by slot
	seen     []*seenPartners // what was read before, by slot; nil where nothing was
	// These are of the reading under way.
	sums      map[report.PairKey]*pairSum
	processes map[sched.PID]string
}

type seenPartners struct {
	born           uint64
	takers, wakers [len(bpf.PartnerList{}.Sum)]seenPartner
}

// seenPartner has the turn of the partner whose sums these are.
type seenPartner struct{ turn, count, wait uint64 }

type pairSum struct{ count, wait uint64 }

func newLivePairs(objs *bpf.Light) (p *livePairs, err error) {
	p = &livePairs{objs: objs, sums: make(map[report.PairKey]*pairSum), processes: make(map[sched.PID]string)}
	p.partners, p.memory, err = mapMemory[bpf.Partners](objs.Partners)
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

// begin comes before all else of a reading: what the kernel side adds from now on, the next one reads at the latest.
func (p *livePairs) begin() error {
	if p == nil {
		return nil
	}
	p.reading++
	if err := p.objs.NextReading.Set(p.reading); err != nil {
		return fmt.Errorf("begin to read who takes cores and who wakes: %w", err)
	}
	return nil
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

// add adds what the partners of a list have gained. One that changes hands at this moment has been read to its end
// before, and its successor is read the next time.
func (p *livePairs) add(key report.PairKey, list *bpf.PartnerList, then *[len(bpf.PartnerList{}.Sum)]seenPartner) {
	for i := range list.Who {
		turn := atomic.LoadUint64(&list.Who[i].Turn)
		who := list.Who[i]
		now := seenPartner{turn, atomic.LoadUint64(&list.Sum[i].Count), atomic.LoadUint64(&list.Sum[i].Wait)}
		if turn == 0 || turn%2 == 1 || atomic.LoadUint64(&list.Who[i].Turn) != turn {
			continue
		}
		key.By, key.HasBy, key.Interrupt = byPartner(&who), who.Tgid != 0, who.Tgid == 0
		p.gain(key, now, &then[i])
	}
	others := &list.Sum[len(list.Who)]
	now := seenPartner{0, atomic.LoadUint64(&others.Count), atomic.LoadUint64(&others.Wait)}
	key.By, key.HasBy, key.Interrupt = report.PairTask{}, false, false
	p.gain(key, now, &then[len(list.Who)])
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

func (p *livePairs) gain(key report.PairKey, now seenPartner, then *seenPartner) {
	if then.turn != now.turn {
		*then = seenPartner{turn: now.turn}
	}
	if now.count < then.count || now.wait < then.wait {
		return // the place is given to another task at this moment
	}
	count, wait := now.count-then.count, now.wait-then.wait
	*then = now
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
