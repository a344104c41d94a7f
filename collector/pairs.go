package collector

import (
	"cmp"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
)

// What follows is of a Collector: its kernel side tells who the watched tasks are, and sends the pairs of those that
// end. Tasks that are added up when they end have no pairs of their own.

// readWatched reads the pairs of a task that is alive.
func (p *livePairs) readWatched(slot uint32, w *bpf.WatchedTask) {
	if w.Key <= keyEnded || w.Counted != 0 {
		return
	}
	id := taskID{slot, w.Born}
	now, ok := p.copy(id)
	if !ok {
		return // it has ended, or is read the next time
	}
	task := ownerOf(&now)
	task.Comm = cmp.Or(readComm(task.PID, sched.TID(w.Tid)), task.Comm) // it can have changed since it was watched
	task.Process = cmp.Or(readComm(task.PID, sched.TID(task.PID)), task.Process)
	p.add(id, &now, task)
}

// readEnded reads the pairs of a task whose record is still in its place.
func (p *livePairs) readEnded(o *bpf.TaskExit) {
	if p == nil {
		return
	}
	if now, ok := p.copy(idOf(o)); ok {
		p.addEnded(o, &now)
	}
}

// mostPairs bounds the pairs of one interval, in which any number of tasks can end: what is shown of them is less.
const mostPairs = 10 * report.MostPairs

// addEnded adds the pairs of a task that ended.
func (p *livePairs) addEnded(o *bpf.TaskExit, now *bpf.Partners) {
	p.add(idOf(o), now, ownerOf(now))
	delete(p.seen, idOf(o))
	if len(p.sums) > mostPairs {
		p.keepMost()
	}
}

func ownerOf(p *bpf.Partners) report.PairTask {
	task := byPartner(&p.Owner)
	task.Process = commText(&p.Process)
	return task
}

// keepMost adds up most of the pairs so far, like all those that a trial has no room for.
func (p *livePairs) keepMost() {
	processes := p.processes
	why := report.Why{Pairs: p.next()}
	why.KeepMostPairs()
	for i := range why.Pairs {
		pair := &why.Pairs[i]
		for _, t := range []*report.PairTask{pair.Task, pair.By} {
			if t == nil {
				continue
			}
			if name := processes[t.PID]; name != "" {
				p.processes[t.PID] = name
			}
			t.Process = ""
		}
		p.gain(pair.Key(), &bpf.PartnerSum{Count: pair.Count, Wait: uint64(pair.WaitNS)}, &bpf.PartnerSum{})
	}
}

// nextNamed is next, with the names of the processes of other tasks than those that are watched.
func (p *livePairs) nextNamed() []report.Pair {
	for key := range p.sums {
		by := &key.By
		switch {
		case !key.HasBy || p.processes[by.PID] != "":
		case by.Kernel:
			p.processes[by.PID] = by.Comm
		default:
			p.processes[by.PID] = readComm(by.PID, sched.TID(by.PID))
		}
	}
	return p.next()
}
