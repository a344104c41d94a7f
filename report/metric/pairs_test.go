package metric_test

import (
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/sched"
)

// Sums over trials lose nothing.
func TestPairsAreTheSumOfTheirTrials(t *testing.T) {
	if metric.GatherPairs(reporttest.Command()) != nil {
		t.Error("a report without pairs has some")
	}
	r := reporttest.Stacks()
	r.Trials[1].Why.Pairs = append(r.Trials[1].Why.Pairs, r.Trials[1].Why.Pairs[0])
	var want, got report.Pair
	for i := range r.Trials {
		for _, p := range r.Trials[i].Why.Pairs {
			want.Count, want.WaitNS = want.Count+p.Count, want.WaitNS+p.WaitNS
		}
	}
	all := metric.GatherPairs(r)
	for _, list := range [][]metric.PairSum{all.Taken, all.Woken} {
		for i, p := range list {
			got.Count, got.WaitNS = got.Count+p.Count, got.WaitNS+p.WaitNS
			if p.Kind != list[0].Kind || i > 0 && p.WaitNS > list[i-1].WaitNS {
				t.Errorf("pair %d is out of order: %+v", i, p)
			}
		}
	}
	if got != want || len(all.Taken) != 5 || len(all.Woken) != 4 {
		t.Errorf("%d and %d pairs have %+v, want 5 and 4 with %+v", len(all.Taken), len(all.Woken), got, want)
	}
	if want := r.Trials[0].DurationNS + r.Trials[1].DurationNS; all.Taken[0].PassedNS != want {
		t.Errorf("they are of %d ns, want %d", all.Taken[0].PassedNS, want)
	}
}

// game is two tasks that wake each other in one second, each at the limit of what makes them a ping-pong.
type game struct {
	wakes, others     [2]uint64 // of each task: by the other one, and by an interrupt
	slices            [2]uint64
	onCPU             [2]int64
	passed            int64
	sameName          bool
	tasks             int // of one name, if sameName
	unknown, notThere bool
}

func atLimit() game {
	return game{
		wakes: [2]uint64{100, 100}, others: [2]uint64{122, 122}, slices: [2]uint64{222, 222},
		onCPU: [2]int64{22_200_000, 22_200_000}, passed: 1e9,
	}
}

func (g game) report() *report.Report {
	var tasks [2]report.PairTask
	tasks[0], tasks[1] = report.PairTask{PID: 12, Comm: "writer"}, report.PairTask{PID: 13, Comm: "reader"}
	if g.sameName {
		tasks[1] = tasks[0]
	}
	why, system := &report.Why{}, &report.System{}
	for i := range 2 {
		by := &tasks[1-i]
		if g.unknown {
			by = nil
		}
		why.Pairs = append(why.Pairs,
			report.Pair{Kind: report.PairWoken, Task: &tasks[i], By: by, Count: g.wakes[i]},
			report.Pair{Kind: report.PairWoken, Task: &tasks[i], Interrupt: true, Count: g.others[i]},
			report.Pair{Kind: report.PairTaken, Task: &tasks[i], By: &tasks[1-i], Count: 1000})
		task := report.Task{PID: tasks[i].PID, TID: sched.TID(20 + i), Comm: tasks[i].Comm}
		task.OnCPUNS, task.EndedBy.Blocked = g.onCPU[i], g.slices[i]
		system.Tasks = append(system.Tasks, task)
	}
	for i := 2; i < g.tasks; i++ {
		system.Tasks = append(system.Tasks, report.Task{PID: 12, TID: sched.TID(20 + i), Comm: "writer"})
	}
	if g.notThere {
		system.Tasks = nil
	}
	return &report.Report{Trials: []report.Trial{{DurationNS: g.passed, Why: why, System: system}}}
}

// A ping-pong needs each of its conditions, on both sides.
func TestPingPongs(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*game)
		want   float64 // the rate; 0: none
	}{
		"at all limits":     {func(*game) {}, 200},
		"too slow":          {func(g *game) { g.wakes[0], g.others[0] = 99, 120 }, 0},
		"too slow there":    {func(g *game) { g.wakes[1], g.others[1] = 99, 120 }, 0},
		"a longer watch":    {func(g *game) { g.passed++ }, 0},
		"others wake":       {func(g *game) { g.others[0]++ }, 0},
		"others wake there": {func(g *game) { g.others[1]++ }, 0},
		"long slices":       {func(g *game) { g.onCPU[0]++ }, 0},
		"long slices there": {func(g *game) { g.onCPU[1]++ }, 0},
		"more than limits": {func(g *game) {
			g.wakes, g.others, g.onCPU = [2]uint64{5000, 4000}, [2]uint64{}, [2]int64{1, 1}
		}, 9000},
		"not told apart":     {func(g *game) { g.unknown = true }, 0},
		"without rows":       {func(g *game) { g.notThere = true }, 0},
		"of one name":        {func(g *game) { g.sameName = true }, 200},
		"of one name, three": {func(g *game) { g.sameName, g.tasks = true, 3 }, 0},
	} {
		g := atLimit()
		c.change(&g)
		got := metric.GatherPairs(g.report()).PingPongs
		switch {
		case c.want == 0 && len(got) > 0:
			t.Errorf("%s: %+v", name, got)
		case c.want > 0 && (len(got) != 1 || got[0].Rate.Value != c.want || got[0].A.Comm != "writer"):
			t.Errorf("%s: %+v, want one of %v a second", name, got, c.want)
		}
	}
}
