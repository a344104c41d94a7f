package live

import (
	"hash/maphash"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
	"github.com/slicetrace/slicetrace/report/sched"
)

// timedIntervals is in how many of the last intervals switches were timed whose costs are shown: a
// tool that times them now and then has none in some intervals.
const timedIntervals = 5

// interval is one interval with the sums that every frame needs.
type interval struct {
	trial  *report.Trial
	groups map[uint64]*report.Group
	// all and cores have the costs of the last intervals in which switches were timed.
	all   metric.CoreSum
	cores []metric.CoreSum
	moves report.MigrationCounts
	// stacks has those that trial.Why refers to, and nothing else. It is nil if they are not told.
	stacks *report.Report
}

func hasTimed(t *report.Trial) bool {
	for i := range t.Cores {
		for j := range t.Cores[i].Classes {
			if t.Cores[i].Classes[j].Cost.Count > 0 {
				return true
			}
		}
	}
	return false
}

// costs are those of the switches that were timed in several intervals.
type costs struct {
	all metric.CoreSum
	of  map[sched.CPU]*metric.CoreSum
}

// trialsOf makes trials of the cores of several intervals.
func trialsOf(timed [][]report.Core) []*report.Trial {
	trials := make([]*report.Trial, len(timed))
	for i, cores := range timed {
		trials[i] = &report.Trial{Cores: cores}
	}
	return trials
}

func costsOf(timed [][]report.Core) *costs {
	all, cores := metric.SumCores(trialsOf(timed))
	c := &costs{all, map[sched.CPU]*metric.CoreSum{}}
	for i := range cores {
		c.of[cores[i].CPU] = &cores[i]
	}
	return c
}

func newInterval(t *report.Trial, recent *costs) *interval {
	iv := &interval{trial: t, groups: map[uint64]*report.Group{}}
	iv.all, iv.cores = metric.SumCores([]*report.Trial{t})
	replaceCosts(&iv.all, &recent.all)
	for i := range iv.cores {
		if other := recent.of[iv.cores[i].CPU]; other != nil {
			replaceCosts(&iv.cores[i], other)
		}
	}
	if t.System == nil {
		return iv
	}
	for i := range t.System.Groups {
		iv.groups[t.System.Groups[i].ID] = &t.System.Groups[i]
	}
	for i := range t.System.Tasks {
		iv.moves.Add(t.System.Tasks[i].Migrations)
	}
	for i := range t.System.Ended {
		iv.moves.Add(t.System.Ended[i].Migrations)
	}
	return iv
}

// replaceCosts gives a core the costs that another sum of its switches has.
func replaceCosts(c, from *metric.CoreSum) {
	for i := range c.Classes {
		c.Classes[i].Cost = from.Class(c.Classes[i].Class).Cost
	}
}

// groupName is the short name of a control group.
func (iv *interval) groupName(id uint64) string {
	if g := iv.groups[id]; g != nil {
		return g.Name
	}
	return ""
}

// past is what is kept of an interval after the next one has come.
type past struct {
	durationNS int64
	points     []point
}

// point is what one task did in one interval, in as little memory as possible.
type point struct {
	pid, tid                   int32
	group                      uint64
	comm, program              uint32
	onCPUNS, waitNS, waitMaxNS float32
	switches, involuntary      float32
	ended, born                bool
}

// seed makes hashes of names, which are told apart in a history by them.
var seed = maphash.MakeSeed()

func hashOf(name string) uint32 { return uint32(maphash.String(seed, name)) }

func newPast(t *report.Trial) *past {
	p := &past{durationNS: t.DurationNS}
	if t.System == nil {
		return p
	}
	p.points = make([]point, 0, len(t.System.Tasks)+len(t.System.Ended))
	for i := range t.System.Tasks {
		task := &t.System.Tasks[i]
		o := pointOf(&task.Activity, task.Group, task.Comm, programOf(task))
		o.pid, o.tid, o.born = int32(task.PID), int32(task.TID), task.Born
		p.points = append(p.points, o)
	}
	for i := range t.System.Ended {
		e := &t.System.Ended[i]
		o := pointOf(&e.Activity, e.Group, e.Comm, e.Comm)
		o.ended = true
		p.points = append(p.points, o)
	}
	return p
}

func pointOf(a *report.Activity, group uint64, comm, program string) point {
	return point{
		group: group, comm: hashOf(comm), program: hashOf(program),
		onCPUNS: float32(a.OnCPUNS), waitNS: float32(a.WaitNS), waitMaxNS: float32(a.Waits.MaxNS),
		switches: float32(a.Switches()), involuntary: float32(a.Involuntary()),
	}
}
