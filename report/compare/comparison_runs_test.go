package compare_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/compare"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/view"
)

// A single run is one sample of its side, however many rounds it has: nothing is reported as
// changed unless similar runs show how much runs vary.
func TestOneRunASideIsHeldAgainstLikeRuns(t *testing.T) {
	old, other := reporttest.Bundled(12, 2), reporttest.Change(reporttest.Bundled(12, 2), "pipe", 0.9)
	c := compared(t, old, other)
	for _, x := range c.Pairs[0].Changes {
		if x.Outcome != compare.Untested || x.PercentLow != nil {
			t.Errorf("%s of %s in %s is %s", x.Metric, x.Workload, x.Mode, x.Outcome)
		}
	}
	if x := change(t, c, "pipe", report.Threads, "operations"); *x.Percent > -9.9 || *x.Percent < -10.1 {
		t.Errorf("the change is %g %%", *x.Percent)
	}
	for spread, want := range map[float64]compare.Outcome{0.005: compare.Changed, 0.1: compare.Alike} {
		like, _ := reporttest.Turns(old, old, 6, spread, 3)
		c := comparedRuns(t, []*report.Report{old}, []*report.Report{other}, like...)
		x := change(t, c, "pipe", report.Threads, "operations")
		if x.Outcome != want || c.Pairs[0].Basis.Kind != compare.BasisLike {
			t.Errorf("runs that vary by %g: %s, p %g, q %g, basis %+v", spread, x.Outcome, x.P, x.Q, c.Pairs[0].Basis)
		}
	}
}

// Runs that were not made in turns decide nothing, since the difference includes slow changes of
// the machine.
func TestSidesMadeOneAfterAnotherDecideNothing(t *testing.T) {
	slower := reporttest.Change(reporttest.Bundled(6, 1), "pipe", 0.5)
	a, b := reporttest.Turns(reporttest.Bundled(6, 1), slower, 6, 0.01, 1)
	for i := range b {
		b[i].Created = b[i].Created.Add(24 * time.Hour)
	}
	c := comparedRuns(t, a, b)
	if x := change(t, c, "pipe", report.Threads, "operations"); x.Outcome != compare.Untested || *x.Percent > -45 {
		t.Errorf("%+v", x)
	}
	text := ""
	for _, s := range view.SummarizeComparison(c, false).Sections {
		text += strings.Join(s.Notes, " ")
	}
	if !strings.Contains(text, "not made in turns") {
		t.Errorf("it is said: %s", text)
	}
}

// Similar runs that were made within a short time do not show how much runs of different days
// differ, and the sides' own runs do not count as similar runs.
func TestLikeRunsMustSpanTheTimeBetweenTheSides(t *testing.T) {
	old, other := reporttest.Bundled(6, 1), reporttest.Change(reporttest.Bundled(6, 1), "pipe", 0.5)
	like, _ := reporttest.Turns(old, old, 6, 0.01, 3)
	for after, want := range map[time.Duration]compare.BasisKind{
		5 * time.Minute: compare.BasisLike, 24 * time.Hour: compare.BasisNone,
	} {
		other.Created = old.Created.Add(after)
		b := comparedRuns(t, []*report.Report{old}, []*report.Report{other}, like...).Pairs[0].Basis
		if b.Kind != want {
			t.Errorf("sides %v apart: %+v", after, b)
		}
	}
	b := comparedRuns(t, []*report.Report{like[0]}, []*report.Report{other}, like...).Pairs[0].Basis
	if b.LikeRuns != 5 {
		t.Errorf("of six runs one of which is the old one: %+v", b)
	}
	steady, _ := reporttest.Turns(old, old, 6, 0, 3)
	other.Created = old.Created
	c := comparedRuns(t, []*report.Report{old}, []*report.Report{other}, steady...)
	if x := change(t, c, "pipe", report.Threads, "operations"); x.Outcome != compare.Untested {
		t.Errorf("similar runs that happen to be equal make a change certain: %+v", x)
	}
}

// Figures that not all runs have are left out, and a warning says so.
func TestWhatSomeRunsLackIsSaid(t *testing.T) {
	a, b := reporttest.Turns(reporttest.Bundled(2, 1), reporttest.Bundled(2, 1), 4, 0.01, 1)
	var kept []report.Trial
	for _, x := range b[2].Trials {
		if x.Workload != "pipe" || x.Mode != report.Threads {
			kept = append(kept, x)
		}
	}
	b[2].Trials = kept
	c := comparedRuns(t, a, b)
	if got := warnings(c); !strings.Contains(got, "pipe threads in 3 of 4") {
		t.Errorf("it is said: %s", got)
	}
	got := check(t, c, compare.CheckOptions{}, "operations<-5%")[0]
	if got.Missing != 1 || got.Undecided != 1 || got.Within != 3 ||
		!strings.Contains(got.Sentence(), "1 of them because not all runs have them") {
		t.Errorf("%+v", got)
	}
}

// Runs are in turns only if slow changes of the machine affect both sides equally.
func TestTurnsAreInBalance(t *testing.T) {
	for order, want := range map[string]compare.BasisKind{
		"onnoonno": compare.BasisTurns, "onononon": compare.BasisTurns, "oonnonno": compare.BasisTurns,
		"onnonnonnonn": compare.BasisTurns, "oonnoonn": compare.BasisNone, "oooonnnn": compare.BasisNone,
		"oonononnnnnnnn": compare.BasisNone, "onononon" + "nnnnnnnn": compare.BasisNone,
	} {
		base := reporttest.Bundled(1, 1)
		var sides [2][]*report.Report
		for i, side := range order {
			r := reporttest.Copy(base)
			r.Created = base.Created.Add(time.Duration(i) * time.Minute)
			r.Trials[0].Operations += int64(i)
			n := 0
			if side == 'n' {
				n = 1
			}
			sides[n] = append(sides[n], r)
		}
		if b := comparedRuns(t, sides[0], sides[1]).Pairs[0].Basis; b.Kind != want {
			t.Errorf("%s: %+v", order, b)
		}
	}
}

// A report counts as one run, and can be given only once.
func TestARunIsGivenOnce(t *testing.T) {
	a, b := reporttest.Turns(reporttest.Bundled(2, 1), reporttest.Bundled(2, 1), 4, 0.01, 1)
	_, err := compare.Reports(reporttest.Inputs("old-", append(a, a[1])),
		[][]compare.Input{reporttest.Inputs("new-", b)}, compare.Options{})
	if err == nil || !strings.Contains(err.Error(), "old-b.json and old-e.json are the same report") {
		t.Errorf("error %v", err)
	}
	_, err = compare.Reports(reporttest.Inputs("old-", a),
		[][]compare.Input{reporttest.Inputs("new-", append(b, a[0]))}, compare.Options{})
	if err == nil || !strings.Contains(err.Error(), "cannot be on both sides") {
		t.Errorf("of a run on both sides: error %v", err)
	}
}

// If the sides do not differ, any primary figure is reported as changed in one comparison of
// twenty. Runs vary both in all figures together and in each figure by itself.
func TestLikeSidesRaiseFewAlarms(t *testing.T) {
	random := rand.New(rand.NewPCG(41, 1))
	const level = 0.05 // the rate of false alarms that the test of differences promises
	studies := 100
	if testing.Short() {
		studies = 10
	}
	for _, runs := range []int{4, 5, 8} {
		alarms := 0
		for study := range studies {
			a, b := reporttest.Turns(reporttest.Bundled(2, 1), reporttest.Bundled(2, 1), runs, 0.05,
				uint64(100*study+runs))
			for _, r := range append(a, b...) {
				for i := range r.Trials {
					factor := math.Exp(0.05 * random.NormFloat64())
					r.Trials[i].Operations = int64(float64(r.Trials[i].Operations) * factor)
				}
			}
			for _, x := range comparedRuns(t, a, b).Pairs[0].Changes {
				if x.Primary && x.Outcome == compare.Changed {
					alarms++
					break
				}
			}
		}
		t.Logf("%d runs a side: %d of %d like pairs have a primary figure called changed", runs, alarms, studies)
		if reporttest.AtLeast(alarms, studies, level) < 0.001 {
			t.Errorf("%d runs a side: %d of %d like pairs have a primary figure called changed", runs, alarms, studies)
		}
	}
}
