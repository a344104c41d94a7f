package reporttest_test

import (
	"reflect"
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/histogram"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

func TestSystemAddsUp(t *testing.T) {
	for _, size := range []reporttest.SystemSize{
		{}, {Cores: 1, Tasks: 1, Groups: 1, Intervals: 2}, {Cores: 2, Tasks: 40, Groups: 3, Intervals: 3},
		{Cores: 8, Tasks: 500, Groups: 12, Intervals: 3}, {Cores: 64, Tasks: 30, Groups: 4, Intervals: 1},
	} {
		r := reporttest.System(size)
		if err := r.Validate(); err != nil {
			t.Errorf("%+v: %v", size, err)
		}
		if len(r.Trials) != size.Intervals {
			t.Errorf("%+v: %d trials", size, len(r.Trials))
		}
		for i := range r.Trials {
			checkSums(t, size, &r.Trials[i])
		}
		if !reflect.DeepEqual(r, reporttest.System(size)) {
			t.Errorf("%+v: another call returns another report", size)
		}
	}
}

func checkSums(t *testing.T, size reporttest.SystemSize, trial *report.Trial) {
	t.Helper()
	if n := len(trial.System.Tasks); n != size.Tasks {
		t.Errorf("%+v: %d tasks", size, n)
	}
	var all report.Activity
	for i := range trial.System.Tasks {
		task := &trial.System.Tasks[i]
		all.Add(&task.Activity)
		if task.OnCPUNS+task.WaitNS > trial.DurationNS+1e6 {
			t.Errorf("%+v: task %d ran for %d and waited for %d ns", size, task.TID, task.OnCPUNS, task.WaitNS)
		}
	}
	for i := range trial.System.Ended {
		all.Add(&trial.System.Ended[i].Activity)
	}
	var onCPU int64
	var waits, slices histogram.Histogram
	var causes report.CauseCounts
	var away uint64
	for i := range trial.Cores {
		c := &trial.Cores[i]
		if sum := c.IdleNS + c.WorkersNS + c.OthersNS + c.SelfNS; sum != c.WallNS || c.IdleNS < 0 {
			t.Errorf("%+v, core %d: %d ns of %d ns, %d ns of them idle", size, c.CPU, sum, c.WallNS, c.IdleNS)
		}
		onCPU += c.WorkersNS
		waits.Merge(c.Wait)
		for _, s := range c.Slices {
			*causes.At(s.EndedBy) += s.Length.Count
			slices.Merge(s.Length)
		}
		for _, s := range c.Classes {
			if s.Class != report.ClassIdleOut {
				away += s.Switches
			}
		}
	}
	if all.OnCPUNS != onCPU || all.EndedBy != causes || all.Switches() != away {
		t.Errorf("%+v: tasks have %d ns, %+v, %d switches; cores %d ns, %+v, %d", size,
			all.OnCPUNS, all.EndedBy, all.Switches(), onCPU, causes, away)
	}
	for name, pair := range map[string][2]histogram.Histogram{
		"waits": {all.Waits, waits}, "slices": {all.Slices, slices},
	} {
		if a, b := pair[0], pair[1]; a.Count != b.Count || a.SumNS != b.SumNS || a.MaxNS != b.MaxNS {
			t.Errorf("%+v: %s of tasks: %d of %d ns, longest %d; of cores: %d of %d ns, longest %d", size, name,
				a.Count, a.SumNS, a.MaxNS, b.Count, b.SumNS, b.MaxNS)
		}
	}
	if all.Slices.SumNS > uint64(onCPU) {
		t.Errorf("%+v: slices of %d ns in %d ns", size, all.Slices.SumNS, onCPU)
	}
}
