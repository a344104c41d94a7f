package metric

import (
	"cmp"
	"slices"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
)

// Pairs are who took tasks' cores and who woke them, added up over trials.
type Pairs struct {
	// PassedNS is the length of these trials.
	PassedNS int64
	// Taken and Woken are by descending wait, as report.SortPairs leaves them.
	Taken, Woken []report.Pair
	// PingPongs are by descending rate.
	PingPongs []PingPong
}

// What makes two tasks a ping-pong: see PingPong.
const (
	PingPongShare   = 0.45
	PingPongRate    = 100     // a second
	PingPongSliceNS = 100_000 // at most
)

// PingPong is two tasks that wake each other: each is woken by the other at least PingPongRate times a second and
// in at least PingPongShare of its wakeups, and the slices of each are PingPongSliceNS long at most, on average.
// Several tasks of one name in one process count as one, except where they are two: then A and B are the same.
type PingPong struct {
	A, B report.PairTask
	// Rate is how often one of them wakes the other, a second.
	Rate report.Quantity
}

// GatherPairs adds up the pairs of all trials. It returns nil if the report has none.
func GatherPairs(r *report.Report) *Pairs {
	var trials []*report.Trial
	found := false
	for i := range r.Trials {
		if t := &r.Trials[i]; t.Why != nil {
			trials = append(trials, t)
			found = found || len(t.Why.Pairs) > 0
		}
	}
	if !found {
		return nil
	}
	all := &Pairs{}
	sums := map[report.PairKey]int{}
	var list []report.Pair
	for _, t := range trials {
		all.PassedNS += t.DurationNS
		for _, p := range t.Why.Pairs {
			i, ok := sums[p.Key()]
			if !ok {
				i = len(list)
				sums[p.Key()] = i
				list = append(list, report.Pair{Kind: p.Kind, Task: p.Task, By: p.By, Interrupt: p.Interrupt})
			}
			list[i].Count += p.Count
			list[i].WaitNS += p.WaitNS
		}
	}
	report.SortPairs(list)
	for _, p := range list {
		if p.Kind == report.PairTaken {
			all.Taken = append(all.Taken, p)
		} else {
			all.Woken = append(all.Woken, p)
		}
	}
	all.findPingPongs(trials)
	return all
}

// pairName is whose wakeups and slices are added up.
type pairName struct {
	pid  sched.PID
	comm string
}

func nameOf(t *report.PairTask) pairName { return pairName{t.PID, t.Comm} }

// player is what matters of the tasks of one name.
type player struct {
	number  int
	task    report.PairTask
	wakeups uint64
	by      map[pairName]uint64
	onCPU   int64
	slices  uint64
	tasks   map[sched.TID]bool
}

func (p *Pairs) findPingPongs(trials []*report.Trial) {
	players := map[pairName]*player{}
	var order []*player
	for i := range p.Woken {
		w := &p.Woken[i]
		if w.Task == nil {
			continue
		}
		one := players[nameOf(w.Task)]
		if one == nil {
			one = &player{number: len(order), task: *w.Task, by: map[pairName]uint64{}, tasks: map[sched.TID]bool{}}
			players[nameOf(w.Task)] = one
			order = append(order, one)
		}
		one.wakeups += w.Count
		if w.By != nil {
			one.by[nameOf(w.By)] += w.Count
		}
	}
	for _, t := range trials {
		if t.System == nil {
			continue
		}
		for i := range t.System.Tasks {
			task := &t.System.Tasks[i]
			if one := players[pairName{task.PID, task.Comm}]; one != nil {
				one.onCPU += task.OnCPUNS
				one.slices += task.Switches()
				one.tasks[task.TID] = true
			}
		}
	}
	for _, a := range order {
		for name := range a.by {
			b := players[name]
			if b == nil || b.number < a.number || a == b && len(a.tasks) != 2 || !p.plays(a, b) || !p.plays(b, a) {
				continue
			}
			count := a.by[name]
			if a != b {
				count += b.by[nameOf(&a.task)]
			}
			p.PingPongs = append(p.PingPongs, PingPong{a.task, b.task, Rate(count, p.PassedNS)})
		}
	}
	slices.SortFunc(p.PingPongs, func(a, b PingPong) int {
		return cmp.Or(cmp.Compare(b.Rate.Value, a.Rate.Value), cmp.Compare(a.A.PID, b.A.PID),
			cmp.Compare(a.A.Comm, b.A.Comm), cmp.Compare(a.B.Comm, b.B.Comm))
	})
}

// plays reports whether a's side of a ping-pong with b is as it must be.
func (p *Pairs) plays(a, b *player) bool {
	woken := float64(a.by[nameOf(&b.task)])
	return woken > 0 && woken >= PingPongShare*float64(a.wakeups) &&
		woken*1e9 >= PingPongRate*float64(p.PassedNS) &&
		a.slices > 0 && a.onCPU <= PingPongSliceNS*int64(a.slices)
}
