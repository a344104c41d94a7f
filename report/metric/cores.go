package metric

import (
	"math"
	"slices"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/histogram"
	"github.com/slicetrace/slicetrace/report/sched"
	"github.com/slicetrace/slicetrace/report/stats"
)

// SystemTrials returns the intervals of a watch.
func SystemTrials(r *report.Report) []*report.Trial {
	var out []*report.Trial
	for i := range r.Trials {
		if t := &r.Trials[i]; t.System != nil {
			out = append(out, t)
		}
	}
	return out
}

// Rate is how often something happened a second, absent if no time passed.
func Rate(n uint64, ns int64) report.Quantity {
	return report.Maybe(float64(n)*1e9/float64(ns), ns > 0, report.PerSecond)
}

// TimeShare is a part of a time in percent, absent if no time passed. Tasks on several cores can
// have more than 100 % of the time that passed.
func TimeShare(partNS, ns int64) report.Quantity {
	return report.Maybe(100*float64(partNS)/float64(ns), ns > 0, report.Percent)
}

// CoreSum is what one core of a watched system did over some intervals, or all its cores together.
type CoreSum struct {
	// CPU is the core's number, -1 for all cores together.
	CPU sched.CPU
	// WallNS is the time that was watched, added up over cores. IdleNS is a part of it.
	WallNS, IdleNS int64
	// PassedNS is the time that passed: for all cores together, that of the core with the most.
	PassedNS int64
	// Classes holds each class of switch that occurred, in the order of report.Classes. Their Pick and
	// Switch are empty.
	Classes []report.ClassStats
	// Wait is the distribution of waits that ended on the core.
	Wait histogram.Histogram
	// Queue is the run queue. Max is the greatest of any interval and core.
	Queue report.RunQueue
	// Moves are the migrations to the core, nil if they are not known.
	Moves *report.MigrationCounts
}

// SumCores adds up the intervals of each core, ascending, and all of them.
func SumCores(trials []*report.Trial) (all CoreSum, each []CoreSum) {
	of := map[sched.CPU][]*report.Core{}
	queues := map[sched.CPU]report.RunQueue{}
	moves := map[sched.CPU]*report.MigrationCounts{}
	var cpus []sched.CPU
	for _, t := range trials {
		for i := range t.Cores {
			c := &t.Cores[i]
			if of[c.CPU] == nil {
				cpus = append(cpus, c.CPU)
			}
			of[c.CPU] = append(of[c.CPU], c)
		}
		if t.System == nil {
			continue
		}
		for _, q := range t.System.Queues {
			queues[q.CPU] = addQueue(queues[q.CPU], q)
		}
		for _, a := range t.System.Arrivals {
			moves[a.CPU] = addMoves(moves[a.CPU], &a.Migrations)
		}
	}
	slices.Sort(cpus)
	all.CPU = -1
	for _, cpu := range cpus {
		c := sumCore(of[cpu])
		c.CPU, c.Queue, c.Moves = cpu, queues[cpu], moves[cpu]
		each = append(each, c)
		all.WallNS, all.IdleNS = all.WallNS+c.WallNS, all.IdleNS+c.IdleNS
		all.PassedNS = max(all.PassedNS, c.WallNS)
		all.Wait.Merge(c.Wait)
		all.Queue = addQueue(all.Queue, c.Queue)
		all.Moves = addMoves(all.Moves, c.Moves)
	}
	for _, class := range report.Classes() {
		var sum report.ClassStats
		for i := range each {
			sum.Add(each[i].Class(class))
		}
		if sum.Class = class; sum.Switches > 0 {
			all.Classes = append(all.Classes, sum)
		}
	}
	return all, each
}

func addQueue(q, o report.RunQueue) report.RunQueue {
	q.TaskNS, q.ObservedNS, q.Max = q.TaskNS+o.TaskNS, q.ObservedNS+o.ObservedNS, max(q.Max, o.Max)
	return q
}

// addMoves returns a sum of its own. Either can be nil.
func addMoves(m, o *report.MigrationCounts) *report.MigrationCounts {
	if o == nil {
		return m
	}
	sum := *o
	if m != nil {
		sum.Add(*m)
	}
	return &sum
}

func sumCore(intervals []*report.Core) (c CoreSum) {
	var waits histogram.Sum
	for _, o := range intervals {
		c.WallNS, c.IdleNS = c.WallNS+o.WallNS, c.IdleNS+o.IdleNS
		waits.Add(o.Wait)
	}
	c.PassedNS, c.Wait = c.WallNS, waits.Histogram()
	for _, class := range report.Classes() {
		sum, costs := report.ClassStats{Class: class}, histogram.Sum{}
		for _, o := range intervals {
			for i := range o.Classes {
				if s := &o.Classes[i]; s.Class == class {
					sum.Switches += s.Switches
					costs.Add(s.Cost)
				}
			}
		}
		if sum.Cost = costs.Histogram(); sum.Switches > 0 {
			c.Classes = append(c.Classes, sum)
		}
	}
	return c
}

// Class returns the switches of one class.
func (c *CoreSum) Class(class report.Class) report.ClassStats {
	for _, s := range c.Classes {
		if s.Class == class {
			return s
		}
	}
	return report.ClassStats{Class: class}
}

// Switches counts the switches of all classes.
func (c *CoreSum) Switches() (n uint64) {
	for i := range c.Classes {
		n += c.Classes[i].Switches
	}
	return n
}

// Cost is the distribution of the cost of those switches that were timed.
func (c *CoreSum) Cost() histogram.Histogram {
	var sum histogram.Histogram
	for i := range c.Classes {
		sum.Merge(c.Classes[i].Cost)
	}
	return sum
}

// Busy is the percentage of its time in which the core was not idle.
func (c *CoreSum) Busy() report.Quantity { return TimeShare(c.WallNS-c.IdleNS, c.WallNS) }

// ClassShare is the percentage of switches that are of some classes.
func (c *CoreSum) ClassShare(classes ...report.Class) report.Quantity {
	var n uint64
	for _, class := range classes {
		n += c.Class(class).Switches
	}
	all := c.Switches()
	return report.Maybe(100*float64(n)/float64(all), all > 0, report.Share)
}

// SwitchingShare is the percentage of core time that switches took; see SwitchingNS.
func (c *CoreSum) SwitchingShare() report.Quantity {
	ns, ok := SwitchingNS(c.Classes)
	return report.Maybe(100*ns/float64(c.WallNS), ok && c.WallNS > 0, report.Percent)
}

// QueueMean is the mean length of the run queue, the running task included.
func (c *CoreSum) QueueMean() report.Quantity { return queueMean(c.Queue) }

func queueMean(q report.RunQueue) report.Quantity {
	return report.Maybe(float64(q.TaskNS)/float64(q.ObservedNS), q.ObservedNS > 0, report.Ratio)
}

// untimedShare is the share of switches that may be of classes of which none was timed.
const untimedShare = 0.01

// SwitchingNS estimates the time that all switches took from those that were timed: for each class,
// the number of switches times their mean cost. ok is false unless classes with timed switches have
// nearly all switches.
func SwitchingNS(classes []report.ClassStats) (ns float64, ok bool) {
	var all, untimed float64
	for i := range classes {
		c := &classes[i]
		all += float64(c.Switches)
		if mean, timed := c.Cost.Mean(); timed {
			ns += float64(c.Switches) * mean
		} else {
			untimed += float64(c.Switches)
		}
	}
	return ns, all > 0 && untimed <= untimedShare*all
}

// SwitchingReach is how far the 95 % interval of SwitchingShare reaches to either side, from the intervals
// in which its switches were timed. It is absent if fewer than three have switches of a class.
func (c *CoreSum) SwitchingReach(timed []*report.Trial) report.Quantity {
	var squares float64
	known := c.WallNS > 0
	for i := range c.Classes {
		class := &c.Classes[i]
		if class.Switches == 0 || class.Cost.Count == 0 {
			continue
		}
		m, ok := MeanCostOf(timed, class.Class)
		known = known && ok && m.Intervals >= leastClusters
		squares += math.Pow(float64(class.Switches)*m.ReachNS, 2)
	}
	return report.Maybe(100*math.Sqrt(squares)/float64(c.WallNS), known && squares > 0, report.Percent)
}

// MeanCost is the mean cost of a class of switch on all cores, from the intervals in which switches
// were timed, in nanoseconds.
type MeanCost struct {
	NS float64
	// Timed is how many switches were timed, and Intervals in how many intervals.
	Timed     uint64
	Intervals int
	// ReachNS is how far the 95 % interval reaches to either side, 0 if there are fewer than three
	// intervals. Switches of one interval are alike, so each interval counts as one sample: it is the
	// ratio estimate of cluster sampling, by Student's t.
	ReachNS float64
}

// leastClusters is how many intervals an interval of confidence needs.
const leastClusters = 3

// MeanCostOf returns the mean cost of a class. ok is false if no switch of it was timed.
func MeanCostOf(trials []*report.Trial, class report.Class) (m MeanCost, ok bool) {
	type cluster struct{ n, ns float64 }
	var clusters []cluster
	var ns float64
	for _, t := range trials {
		var c cluster
		for i := range t.Cores {
			for j := range t.Cores[i].Classes {
				if s := &t.Cores[i].Classes[j]; s.Class == class {
					m.Timed += s.Cost.Count
					c.n += float64(s.Cost.Count)
					c.ns += float64(s.Cost.SumNS)
				}
			}
		}
		if c.n > 0 {
			clusters = append(clusters, c)
			ns += c.ns
		}
	}
	if m.Intervals = len(clusters); m.Timed == 0 {
		return m, false
	}
	m.NS = ns / float64(m.Timed)
	if m.Intervals >= leastClusters {
		var squares float64
		for _, c := range clusters {
			residual := c.ns - m.NS*c.n
			squares += residual * residual
		}
		k := float64(m.Intervals)
		deviation := math.Sqrt(squares*k/(k-1)) / float64(m.Timed)
		m.ReachNS = deviation * stats.StudentQuantile(1-(1-stats.Confidence)/2, m.Intervals-1)
	}
	return m, true
}
