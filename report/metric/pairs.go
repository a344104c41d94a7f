package metric

import (
	"cmp"
	"slices"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
)

// Pairs are who took tasks' cores and who woke them, added up over trials.
type Pairs struct {
	// Taken and Woken are by descending wait, as report.SortPairs leaves them.
	Taken, Woken []PairSum
	// PingPongs are by descending rate.
	PingPongs []PingPong
}

// PairSum is a pair in several trials. In a watch these are all of its intervals. Elsewhere each trial has processes
// of its own: there tasks of one name are added up, also of several processes.
type PairSum struct {
	// Pair has the tasks of one of the processes on each side, and all sums.
	report.Pair
	// Tasks and Bys are how many processes there are on each side, 0 where there is none.
	Tasks, Bys int
	// PassedNS is the length of the trials: of a watch, or of those in which the pair occurred.
	PassedNS int64
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
	// Rate is how often one of them wakes the other, a second, and Trials in how many trials they are one: 1 for a
	// watch.
	Rate   report.Quantity
	Trials int

	count    uint64
	passedNS int64
}

// GatherPairs adds up the pairs of all trials. It returns nil if the report has none.
func GatherPairs(r *report.Report) *Pairs {
	var trials []*report.Trial
	var passed int64
	found := false
	for i := range r.Trials {
		if t := &r.Trials[i]; t.Why != nil {
			trials = append(trials, t)
			passed += t.DurationNS
			found = found || len(t.Why.Pairs) > 0
		}
	}
	if !found {
		return nil
	}
	if len(SystemTrials(r)) > 0 {
		all := gatherPairs(trials, (*report.Pair).Key, passed)
		all.PingPongs = findPingPongs(all.Woken, trials, passed)
		all.sort()
		return all
	}
	all := gatherPairs(trials, byNames, 0)
	for _, t := range trials {
		own := gatherPairs([]*report.Trial{t}, (*report.Pair).Key, t.DurationNS)
		all.addPingPongs(findPingPongs(own.Woken, []*report.Trial{t}, t.DurationNS))
	}
	all.sort()
	return all
}

// byNames is the key of a pair without its processes and control groups.
func byNames(p *report.Pair) report.PairKey {
	k := p.Key()
	for _, t := range []*report.PairTask{&k.Task, &k.By} {
		*t = report.PairTask{Process: t.Process, Comm: t.Comm, Kernel: t.Kernel}
	}
	if p.Relation() == report.BySelf { // tells these apart from other processes of one name
		k.By.PID = 1
	}
	return k
}

// growingPair is a PairSum that still grows.
type growingPair struct {
	PairSum
	tasks, bys map[sched.PID]bool
	last       *report.Trial
}

// gatherPairs adds up the pairs that have one key. passedNS is for how long there were any; 0: as long as the trials in
// which they are.
func gatherPairs(trials []*report.Trial, keyOf func(*report.Pair) report.PairKey, passedNS int64) *Pairs {
	sums := map[report.PairKey]*growingPair{}
	var order []*growingPair
	for _, t := range trials {
		for i := range t.Why.Pairs {
			p := &t.Why.Pairs[i]
			sum := sums[keyOf(p)]
			if sum == nil {
				sum = &growingPair{tasks: map[sched.PID]bool{}, bys: map[sched.PID]bool{}}
				sum.Pair = report.Pair{Kind: p.Kind, Task: p.Task, By: p.By, Interrupt: p.Interrupt}
				sum.PassedNS = passedNS
				sums[keyOf(p)] = sum
				order = append(order, sum)
			}
			sum.add(p)
			if passedNS == 0 && sum.last != t {
				sum.last = t
				sum.PassedNS += t.DurationNS
			}
		}
	}
	all := &Pairs{}
	for _, sum := range order {
		sum.Tasks, sum.Bys = len(sum.tasks), len(sum.bys)
		if sum.Kind == report.PairTaken {
			all.Taken = append(all.Taken, sum.PairSum)
		} else {
			all.Woken = append(all.Woken, sum.PairSum)
		}
	}
	for _, list := range [][]PairSum{all.Taken, all.Woken} {
		slices.SortFunc(list, func(a, b PairSum) int { return report.ComparePairs(&a.Pair, &b.Pair) })
	}
	return all
}

func (g *growingPair) add(p *report.Pair) {
	g.Count += p.Count
	g.WaitNS += p.WaitNS
	if p.Task != nil {
		g.tasks[p.Task.PID] = true
	}
	if p.By != nil {
		g.bys[p.By.PID] = true
	}
}

// addPingPongs adds those of one trial to those of the same names.
func (p *Pairs) addPingPongs(of []PingPong) {
	names := func(t *report.PairTask) [2]string { return [2]string{t.Process, t.Comm} }
	for _, one := range of {
		i := slices.IndexFunc(p.PingPongs, func(o PingPong) bool {
			return names(&o.A) == names(&one.A) && names(&o.B) == names(&one.B)
		})
		if i < 0 {
			p.PingPongs = append(p.PingPongs, one)
			continue
		}
		same := &p.PingPongs[i]
		same.Trials++
		same.count += one.count
		same.passedNS += one.passedNS
		same.Rate = Rate(same.count, same.passedNS)
	}
}

func (p *Pairs) sort() {
	slices.SortFunc(p.PingPongs, func(a, b PingPong) int {
		return cmp.Or(cmp.Compare(b.Rate.Value, a.Rate.Value), cmp.Compare(a.A.PID, b.A.PID),
			cmp.Compare(a.A.Comm, b.A.Comm), cmp.Compare(a.B.Comm, b.B.Comm))
	})
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

// players are the tasks that were woken, by name, and in this order.
func players(woken []PairSum) (of map[pairName]*player, order []*player) {
	of = map[pairName]*player{}
	for i := range woken {
		w := &woken[i]
		if w.Task == nil {
			continue
		}
		one := of[nameOf(w.Task)]
		if one == nil {
			one = &player{number: len(order), task: *w.Task, by: map[pairName]uint64{}, tasks: map[sched.TID]bool{}}
			of[nameOf(w.Task)] = one
			order = append(order, one)
		}
		one.wakeups += w.Count
		if w.By != nil {
			one.by[nameOf(w.By)] += w.Count
		}
	}
	return of, order
}

// findPingPongs finds them in the pairs of trials that took so long.
func findPingPongs(woken []PairSum, trials []*report.Trial, passedNS int64) (found []PingPong) {
	of, order := players(woken)
	add := func(pid sched.PID, tid sched.TID, comm string, onCPU int64, slices uint64) {
		if one := of[pairName{pid, comm}]; one != nil {
			one.onCPU += onCPU
			one.slices += slices
			one.tasks[tid] = true
		}
	}
	for _, t := range trials {
		for i := range t.Workers {
			if w := &t.Workers[i]; w.Merged == 0 {
				add(w.PID, w.TID, w.Comm, w.OnCPUNS, w.Slices)
			}
		}
		if t.System == nil {
			continue
		}
		for i := range t.System.Tasks {
			task := &t.System.Tasks[i]
			add(task.PID, task.TID, task.Comm, task.OnCPUNS, task.Switches())
		}
	}
	for _, a := range order {
		for name := range a.by {
			b := of[name]
			if b == nil || b.number < a.number || a == b && len(a.tasks) != 2 || !plays(a, b, passedNS) ||
				!plays(b, a, passedNS) {
				continue
			}
			count := a.by[name]
			if a != b {
				count += b.by[nameOf(&a.task)]
			}
			found = append(found, PingPong{a.task, b.task, Rate(count, passedNS), 1, count, passedNS})
		}
	}
	return found
}

// plays reports whether a's side of a ping-pong with b is as it must be.
func plays(a, b *player, passedNS int64) bool {
	woken := float64(a.by[nameOf(&b.task)])
	return woken > 0 && woken >= PingPongShare*float64(a.wakeups) &&
		woken*1e9 >= PingPongRate*float64(passedNS) &&
		a.slices > 0 && a.onCPU <= PingPongSliceNS*int64(a.slices)
}
