package compare_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/compare"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/sched"
)

func watched() *report.Report {
	return reporttest.System(reporttest.SystemSize{Cores: 4, Tasks: 24, Groups: 4, Intervals: 12})
}

// busier returns a copy of a watch in which tasks waited and switched more often by a factor.
func busier(r *report.Report, factor float64) *report.Report {
	out := reporttest.Copy(r)
	for i := range out.Trials {
		for j := range out.Trials[i].Cores {
			c := &out.Trials[i].Cores[j]
			c.Wait.SumNS = uint64(float64(c.Wait.SumNS) * factor)
			for k := range c.Classes {
				c.Classes[k].Switches = uint64(float64(c.Classes[k].Switches) * factor)
			}
		}
	}
	return out
}

// A watch is one sample, however many intervals it has, and the intervals give no interval of
// confidence.
func TestOneWatchASideDecidesNothing(t *testing.T) {
	c := compared(t, watched(), busier(watched(), 1.5))
	p := &c.Pairs[0]
	if p.Basis.Kind != compare.BasisNone {
		t.Errorf("the basis is %+v", p.Basis)
	}
	for _, x := range p.Changes {
		if x.Outcome != compare.Untested || x.Old.Low != nil || x.New.High != nil || x.PercentLow != nil {
			t.Errorf("%+v", x)
		}
	}
	for metric, unit := range map[string]report.Unit{
		"switches": report.PerSecond, "wait_mean": report.Nanoseconds, "busy": report.Percent,
	} {
		x := change(t, c, "", report.SystemMode, metric)
		if !x.Primary || x.Unit != unit || x.Old.N != 12 {
			t.Errorf("%+v", x)
		}
		if want := metric != "busy"; (*x.Percent > 45 && *x.Percent < 55) != want {
			t.Errorf("%s changed by %g %%", metric, *x.Percent)
		}
	}
	text := strings.Join(p.Basis.Sentences(), " ")
	for _, says := range []string{"A watch is one run", "intervals are alike", "--like", "--with new*.json"} {
		if !strings.Contains(text, says) {
			t.Errorf("it lacks %q: %s", says, text)
		}
	}
	for _, w := range p.Warnings {
		if strings.Contains(w, "--rounds") {
			t.Errorf("a watch has no rounds: %s", w)
		}
	}
}

// Several watches a side, made in turns, are compared like other runs.
func TestWatchesInTurns(t *testing.T) {
	a, b := reporttest.Turns(watched(), busier(watched(), 1.5), 6, 0.01, 1)
	c := comparedRuns(t, a, b)
	for metric, want := range map[string]compare.Outcome{
		"switches": compare.Changed, "wait_mean": compare.Changed, "busy": compare.Alike,
	} {
		if x := change(t, c, "", report.SystemMode, metric); x.Outcome != want || x.Old.N != 6 {
			t.Errorf("%s is %s: %+v", metric, x.Outcome, x)
		}
	}
	met := check(t, c, compare.CheckOptions{}, "switches>20%", "/system:wait_mean>20%", "busy>1%", "throttled>1%")
	for i, want := range []string{"system (+4", "system (+4", "", ""} {
		if got := strings.Join(met[i].Met, " "); (got == "") != (want == "") || !strings.HasPrefix(got, want) {
			t.Errorf("%s is met by %q", met[i].Condition, got)
		}
	}
	if got := c.Pairs[0].Basis; got.Kind != compare.BasisTurns || !strings.Contains(got.Noisiest, " of the system") {
		t.Errorf("the basis is %+v", got)
	}
}

// Watches of different tasks are not comparable. A process may have another number.
func TestWatchesOfOtherTasks(t *testing.T) {
	of := func(w report.Watch) *report.Report {
		r := watched()
		w.EveryNS = r.Setup.Watch.EveryNS
		r.Setup.Watch = &w
		return r
	}
	all := []report.Watch{
		{All: true}, {PIDs: []sched.PID{4711}}, {PIDs: []sched.PID{1, 2}}, {Cgroups: []string{"db.service"}},
		{Cgroups: []string{"db.service", "web.service"}}, {Comms: []string{"db.service"}}, {UIDs: []uint32{33}},
		{UIDs: []uint32{33, 0}}, {PIDs: []sched.PID{4711}, Comms: []string{"java"}},
	}
	for i := range all {
		for j := range all {
			old := []compare.Input{{Name: "a", Report: of(all[i])}}
			other := []compare.Input{{Name: "b", Report: of(all[j])}}
			_, err := compare.Reports(old, [][]compare.Input{other}, compare.Options{})
			if i == j && err != nil {
				t.Errorf("%s: %v", &all[i], err)
			}
			if i != j && (!errors.Is(err, compare.ErrNothingInCommon) ||
				!strings.Contains(err.Error(), "the first watched "+all[i].String()+", the other "+all[j].String())) {
				t.Errorf("%s with %s: %v", &all[i], &all[j], err)
			}
		}
	}
	restarted := compared(t, of(all[1]), of(report.Watch{PIDs: []sched.PID{5822}})).Pairs[0]
	if d := restarted.Differences; len(d) != 1 || d[0].Old != "pid 4711" || d[0].New != "pid 5822" {
		t.Errorf("a process that was restarted gives the differences %v", d)
	}
	turned := of(report.Watch{UIDs: []uint32{0, 33}})
	if _, err := compare.Reports([]compare.Input{{Name: "a", Report: of(all[7])}},
		[][]compare.Input{{{Name: "b", Report: turned}}}, compare.Options{}); err != nil {
		t.Errorf("in another order: %v", err)
	}
}

// What was asked for besides the tasks is compared too.
func TestEveryPartOfAWatchIsCompared(t *testing.T) {
	for i := range reflect.TypeFor[report.Watch]().NumField() {
		other := watched()
		f := reflect.ValueOf(other.Setup.Watch).Elem().Field(i)
		name := reflect.TypeFor[report.Watch]().Field(i).Name
		old := watched()
		if name != "EveryNS" && name != "ForNS" {
			other.Setup.Watch.All, old.Setup.Watch.All = false, false
		}
		fill(t, f)
		was, now := old.Setup.Properties(), other.Setup.Properties()
		differ := 0
		for j := range was {
			if was[j] != now[j] {
				differ++
			}
		}
		if differ != 1 {
			t.Errorf("another %s gives %d differences", name, differ)
		}
	}
}

// A watch has nothing in common with work that slicetrace started.
func TestAWatchIsNoRun(t *testing.T) {
	_, err := compare.Reports([]compare.Input{{Name: "a", Report: watched()}},
		[][]compare.Input{{{Name: "b", Report: reporttest.Command()}}}, compare.Options{})
	if !errors.Is(err, compare.ErrNothingInCommon) {
		t.Errorf("error is %v", err)
	}
}

// The cost of a switch is a primary figure if enough switches were timed in the intervals in which
// any were.
func TestCostOfAWatchIsPrimary(t *testing.T) {
	few := watched()
	for i := range few.Trials {
		for j := range few.Trials[i].Cores {
			for k := range few.Trials[i].Cores[j].Classes {
				c := &few.Trials[i].Cores[j].Classes[k]
				if few.Trials[i].Round == 3 {
					c.Pick, c.Switch, c.Cost = reporttest.HistogramOf(1, 400), reporttest.HistogramOf(1, 300),
						reporttest.HistogramOf(1, 700)
				}
			}
		}
	}
	x := change(t, compared(t, watched(), watched()), "", report.SystemMode, "cost_p50")
	if !x.Primary || x.Old.N != 6 {
		t.Errorf("%+v", x)
	}
	c := compared(t, few, few)
	for _, x := range c.Pairs[0].Changes {
		if x.Metric == "cost_p50" && x.Primary {
			t.Errorf("with few timed switches: %+v", x)
		}
	}
}
