package compare_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/compare"
	"github.com/slicetrace/slicetrace/report/histogram"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

func compared(t *testing.T, old, other *report.Report) *compare.Comparison {
	t.Helper()
	return comparedRuns(t, []*report.Report{old}, []*report.Report{other})
}

// comparedRuns compares several runs a side. A single run a side is old.json or new.json.
func comparedRuns(t *testing.T, old, other []*report.Report, like ...*report.Report) *compare.Comparison {
	t.Helper()
	sides := [][]compare.Input{{{Name: "old.json", Report: old[0]}}, {{Name: "new.json", Report: other[0]}}}
	if len(old)+len(other) > 2 {
		sides = [][]compare.Input{reporttest.Inputs("old-", old), reporttest.Inputs("new-", other)}
	}
	c, err := compare.Reports(sides[0], sides[1:], compare.Options{Cores: true, Like: reporttest.Inputs("like-", like)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// turns compares runs that were made in turns, and vary as little as on a quiet machine.
func turns(t *testing.T, old, other *report.Report, runs int) *compare.Comparison {
	t.Helper()
	a, b := reporttest.Turns(old, other, runs, 0.02, 1)
	return comparedRuns(t, a, b)
}

// change returns a figure of whole trials.
func change(t *testing.T, c *compare.Comparison, workload string, mode report.Mode, metric string) compare.Change {
	t.Helper()
	for _, x := range c.Pairs[0].Changes {
		if x.Workload == workload && x.Mode == mode && x.Metric == metric {
			return x
		}
	}
	t.Fatalf("no %s of %s in %s", metric, workload, mode)
	return compare.Change{}
}

func TestCompareFindsWhatChanged(t *testing.T) {
	old, other := reporttest.Bundled(6, 2), reporttest.Bundled(6, 2)
	c := turns(t, old, reporttest.Change(other, "pipe", 0.9), 6)
	for _, x := range c.Pairs[0].Changes {
		if planted := x.Workload == "pipe" && x.Metric == "operations"; planted != (x.Outcome == compare.Changed) {
			t.Errorf("%s %s %s %s: %s, p %g, q %g", x.Workload, x.Variant, x.Mode, x.Metric, x.Outcome, x.P, x.Q)
		}
	}
	x := change(t, c, "pipe", report.Threads, "operations")
	if *x.Percent < -12 || *x.Percent > -8 ||
		*x.PercentLow > *x.Percent || *x.PercentHigh < *x.Percent || *x.PercentHigh > 0 ||
		x.Old.N != 6 || x.New.N != 6 || !x.Primary || x.Unit != report.PerSecond ||
		*x.Old.Low > x.Old.Median || *x.Old.High < x.Old.Median {
		t.Errorf("operations changed by %g %% (%g to %g), %+v, %+v",
			*x.Percent, *x.PercentLow, *x.PercentHigh, x.Old, x.New)
	}
	b := c.Pairs[0].Basis
	if b.Kind != compare.BasisTurns || b.OldRuns != 6 || b.NewRuns != 6 || b.Arrangements != 216 ||
		b.Needed < 4 || b.Needed > 20 {
		t.Errorf("the basis is %+v", b)
	}
}

// Medians are those of trials, and figures of a switch are those of its core and class.
func TestCompareTakesTheFiguresOfTrials(t *testing.T) {
	old, other := reporttest.Bundled(6, 2), reporttest.Bundled(6, 2)
	double := func(h *histogram.Histogram) {
		counts := make([]uint64, histogram.BucketOf(2*h.MaxNS)+1)
		for b, n := range h.Buckets() {
			counts[b+histogram.SubBuckets] = n
		}
		*h = histogram.New(counts, h.SumNS, 2*h.MaxNS)
	}
	for i := range other.Trials {
		if x := &other.Trials[i]; x.Workload == "pipe" && x.Mode == report.Threads {
			double(&x.Cores[1].Classes[0].Switch)
		}
	}
	c := turns(t, old, other, 6)
	for _, x := range c.Pairs[0].Switches {
		planted := x.Workload == "pipe" && x.Mode == report.Threads && *x.Core == 1 && x.Class == report.ClassThread &&
			strings.HasPrefix(x.Metric, "switch_")
		if planted != (x.Outcome == compare.Changed) {
			t.Errorf("%s %s core %d %s %s: %s", x.Workload, x.Mode, *x.Core, x.Class, x.Metric, x.Outcome)
		}
		if planted && (*x.Percent < 90 || *x.Percent > 110) {
			t.Errorf("twice the time is a change of %g %%", *x.Percent)
		}
	}
	same := turns(t, old, old, 6)
	if x := change(t, same, "pipe", report.Threads, "cost_p50"); x.P != 1 || x.Outcome != compare.Alike ||
		*x.Percent != 0 {
		t.Errorf("equal costs: %+v", x)
	}
	none, err := compare.Reports([]compare.Input{{Report: old}}, [][]compare.Input{{{Report: other}}},
		compare.Options{})
	if err != nil || len(none.Pairs[0].Switches) > 0 {
		t.Errorf("unasked, %d figures of cores; error %v", len(none.Pairs[0].Switches), err)
	}
}

// fill sets a field to another value.
func fill(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "other")
	case reflect.Int, reflect.Int64:
		v.SetInt(2*v.Int() + 1<<40)
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		if v.Elem().Kind() == reflect.Struct {
			fill(t, v.Elem().Field(0))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 9, 9))
	case reflect.Map: // of the workloads, by name
		v.Set(reflect.ValueOf(map[string]int{"pipe": 9}))
	default:
		t.Fatalf("no other value for a %s", v.Kind())
	}
}

// Every property of the host and the hooks is compared, also those that will be added.
func TestEveryPartOfTheFingerprintIsCompared(t *testing.T) {
	for _, part := range []string{"Host", "Capture", "Setup", "Tool"} {
		typ := reflect.ValueOf(reporttest.Bundled(1, 1)).Elem().FieldByName(part).Type()
		for i := range typ.NumField() {
			name := typ.Field(i).Name
			if name == "Notes" {
				continue // they explain the hooks
			}
			other := reporttest.Bundled(1, 1)
			fill(t, reflect.ValueOf(other).Elem().FieldByName(part).Field(i))
			got := compared(t, reporttest.Bundled(1, 1), other).Pairs[0].Differences
			if len(got) != 1 || got[0].Old == got[0].New {
				t.Errorf("another %s.%s gives the differences %v", part, name, got)
			}
		}
	}
	if got := compared(t, reporttest.Bundled(1, 1), reporttest.Bundled(1, 1)).Pairs[0]; len(got.Differences) > 0 {
		t.Errorf("the same machine differs: %v", got.Differences)
	}
}

func TestMemoryMayDifferALittle(t *testing.T) {
	for share, want := range map[float64]int{0.985: 0, 1.015: 0, 0.97: 1, 1.03: 1} {
		other := reporttest.Bundled(1, 1)
		other.Host.MemoryBytes = int64(share * float64(other.Host.MemoryBytes))
		if got := compared(t, reporttest.Bundled(1, 1), other).Pairs[0].Differences; len(got) != want {
			t.Errorf("%g times the memory: %v", share, got)
		}
	}
}

func warnings(c *compare.Comparison) string { return strings.Join(c.Pairs[0].Warnings, "\n") }

func TestCompareWarns(t *testing.T) {
	like := func() *report.Report { return reporttest.Bundled(6, 2) }
	again := like()
	again.Created = again.Created.Add(time.Hour)
	if got := warnings(compared(t, like(), again)); got != "" {
		t.Errorf("like reports are warned of: %s", got)
	}
	if got := warnings(compared(t, like(), like())); !strings.HasPrefix(got, "both sides are the same report") {
		t.Errorf("of a report and itself it is said: %s", got)
	}
	kernel := like()
	kernel.Host.Kernel, kernel.Host.HZ = "6.19.0", 1000
	const differ = "the two sides differ in kernel, hz, which "
	if got := warnings(compared(t, like(), kernel)); !strings.Contains(got, differ) {
		t.Errorf("another kernel: %s", got)
	}
	for name, c := range map[string]*compare.Comparison{
		"old.json": compared(t, reporttest.Dirty(like()), like()),
		"new.json": compared(t, like(), reporttest.Dirty(like())),
	} {
		if got := warnings(c); !strings.Contains(got, name+" is not clean: switches without") {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestCompareSaysWhatOnlyOneReportHas(t *testing.T) {
	old, other := reporttest.Bundled(6, 1), reporttest.WithoutPick(reporttest.Bundled(6, 1))
	for i := range other.Trials {
		if x := &other.Trials[i]; x.Workload == "spin" && x.Mode == report.Threads {
			x.Workload = "yield"
		}
	}
	got := map[string]bool{}
	for _, m := range compared(t, old, other).Pairs[0].Missing {
		got[fmt.Sprint(m.OnlyIn, " ", m.Workload, " ", m.Mode, " ", m.Metric)] = true
	}
	want := map[string]bool{"old spin threads ": true, "new yield threads ": true}
	for _, where := range []string{"pipe processes", "pipe threads", "spin processes"} {
		for _, metric := range []string{"pick_p50", "pick_p99", "cost_p50", "cost_p99", "core_time"} {
			want["old "+where+" "+metric] = true
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("missing (-want +got):\n%s", diff)
	}
}

func TestCompareRefusesDifferentWork(t *testing.T) {
	_, err := compare.Reports([]compare.Input{{Name: "a", Report: reporttest.Bundled(1, 1)}},
		[][]compare.Input{{{Name: "b", Report: reporttest.Command()}}}, compare.Options{})
	if !errors.Is(err, compare.ErrNothingInCommon) || !strings.Contains(err.Error(), "same work") {
		t.Errorf("error is %v", err)
	}
}

// Runs of a command have one trial each, and are compared like other runs.
func TestCommandsAreCompared(t *testing.T) {
	other := reporttest.Command()
	other.Trials[0].DurationNS *= 2
	c := compared(t, reporttest.Command(), other)
	x := change(t, c, "make", report.Command, "duration")
	if x.Outcome != compare.Untested || *x.Percent < 99 || *x.Percent > 101 || x.PercentLow != nil || x.Old.Low != nil {
		t.Errorf("a single run: %+v", x)
	}
	x = change(t, turns(t, reporttest.Command(), other, 5), "make", report.Command, "duration")
	if x.Outcome != compare.Changed || !x.Primary || x.Old.N != 5 || *x.Percent < 90 || *x.Percent > 110 {
		t.Errorf("five runs a side: %+v", x)
	}
}

// Each report is compared with the first.
func TestCompareSeveral(t *testing.T) {
	old, other := reporttest.FullPair(6, 1)
	list := [][]compare.Input{{{Name: "b", Report: old}}, {{Name: "c", Report: reporttest.Change(other, "spin", 3)}}}
	like, _ := reporttest.Turns(old, old, 5, 0.02, 1)
	c, err := compare.Reports([]compare.Input{{Name: "a", Report: old}}, list,
		compare.Options{Like: reporttest.Inputs("like-", like)})
	if err != nil || len(c.Pairs) != 2 {
		t.Fatal(err, len(c.Pairs))
	}
	if x := c.Pairs[0].Changes[0]; *x.Percent != 0 || c.Pairs[1].New.Name != "c" {
		t.Errorf("with itself: %+v", x)
	}
	checked := check(t, c, compare.CheckOptions{}, "spin:operations>100%")
	if met := checked[0].Met; len(met) != 8 || !strings.HasSuffix(met[0], " in c") {
		t.Errorf("met %q", met)
	}
}

func TestComparisonIsVersioned(t *testing.T) {
	data, err := json.Marshal(compared(t, reporttest.Bundled(1, 1), reporttest.Bundled(1, 1)))
	if err != nil || !strings.HasPrefix(string(data), `{"comparison_version":2,`) {
		t.Fatalf("%.80s, error %v", data, err)
	}
	if !strings.Contains(string(data), `"p":null,"q":null`) || strings.Contains(string(data), `"p":1`) {
		t.Error("figures that nothing tested have probabilities")
	}
	if _, err := report.Decode(strings.NewReader(string(data))); err == nil {
		t.Error("a comparison is taken as a report")
	}
}

// Commands that were run in turn are compared by their labels: times, and the output.
func TestCommandsGoByTheirLabels(t *testing.T) {
	other := reporttest.Commands(6)
	for i := range other.Trials {
		if c := &other.Trials[i]; c.Workload == "server --threads 4" {
			*c.Output /= 2
		} else {
			c.DurationNS = c.DurationNS * 3 / 2
		}
	}
	c := turns(t, reporttest.Commands(6), other, 6)
	for _, want := range []struct {
		label, metric string
		ratio         float64
	}{
		{"server -w 4", "duration", 1.5}, {"server -w 4", "output", 1},
		{"server --threads 4", "duration", 1}, {"server --threads 4", "output", 0.5},
	} {
		x := change(t, c, want.label, report.Command, want.metric)
		if got := x.New.Median / x.Old.Median; !x.Primary || got < 0.9*want.ratio || got > 1.1*want.ratio {
			t.Errorf("%s of %s: %+v", want.metric, want.label, x)
		}
	}
}
