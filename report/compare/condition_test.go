package compare_test

import (
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/compare"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

func conditions(t *testing.T, texts ...string) []compare.Condition {
	t.Helper()
	var out []compare.Condition
	for _, text := range texts {
		c, err := compare.ParseCondition(text)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, c)
	}
	return out
}

func TestParseCondition(t *testing.T) {
	for text, want := range map[string]compare.Condition{
		"cost_p50>5%":                          {Metric: "cost_p50", Limit: 5},
		"operations<-5%":                       {Metric: "operations", Less: true, Limit: -5},
		" operations < -2.5 % ":                {Metric: "operations", Less: true, Limit: -2.5},
		"pipe/threads:cost_p50>5%":             {Workload: "pipe", Mode: report.Threads, Metric: "cost_p50", Limit: 5},
		"wait_p99>1.5ms":                       {Metric: "wait_p99", Limit: 1.5e6, Absolute: true},
		"wait_p99 > 10 µs":                     {Metric: "wait_p99", Limit: 1e4, Absolute: true},
		"pss<4MiB":                             {Metric: "pss", Less: true, Limit: 4 << 20, Absolute: true},
		"operations<1e6/s":                     {Metric: "operations", Less: true, Limit: 1e6, Absolute: true},
		"operations<1e6":                       {Metric: "operations", Less: true, Limit: 1e6, Absolute: true},
		"jain_index<0.9":                       {Metric: "jain_index", Less: true, Limit: 0.9, Absolute: true},
		"pipe:cost_p50>5%":                     {Workload: "pipe", Metric: "cost_p50", Limit: 5},
		"/processes:cost_p50>5%":               {Mode: report.Processes, Metric: "cost_p50", Limit: 5},
		"workingset 16 KiB × 1:cost_p50>+1e1%": {Workload: "workingset 16 KiB × 1", Metric: "cost_p50", Limit: 10},
	} {
		got := conditions(t, text)[0]
		if got.String() != text ||
			got.Workload != want.Workload || got.Mode != want.Mode || got.Metric != want.Metric ||
			got.Less != want.Less || got.Limit != want.Limit || got.Absolute != want.Absolute {
			t.Errorf("%q is read as %+v", text, got)
		}
	}
}

func TestParseConditionRefuses(t *testing.T) {
	all := strings.Join(compare.MetricNames(), ", ")
	for text, says := range map[string]string{
		"": all, "cost_p50": all, "cost_p50=5%": all, "cost>5%": all, "cost_p5>5%": `did you mean "cost_p50"?`,
		"cost_p50>5": "without a unit", "cost_p50>5MiB": "not measured in MiB", "pss>5": "without a unit",
		"core_time>5": "only changes", "cost_p50>%": "neither a percentage", "cost_p50>x%": "neither a percentage",
		"cost_p50>Inf%": "neither a percentage", "cost_p50>NaN%": "neither a percentage",
		"cost_p50>1e999%": "neither a percentage", "cost_p50>>5%": "neither a percentage",
		"cost_p50>=5%":            "neither a percentage",
		"pipe/fibres:cost_p50>5%": "fibres", ":cost_p50>5%": "nothing before the colon", "pipe/:cost_p50>5%": `mode ""`,
	} {
		if c, err := compare.ParseCondition(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %+v, error %v; want one that says %q", text, c, err, says)
		}
	}
}

// check judges conditions, each of which must cover a figure.
func check(t *testing.T, c *compare.Comparison, o compare.CheckOptions, texts ...string) []compare.Checked {
	t.Helper()
	c.Checked = nil
	if err := c.Check(conditions(t, texts...), o); err != nil {
		t.Fatal(err)
	}
	return c.Checked
}

// Conditions are met only on one side of their limit, and only by figures that changed.
func TestCheck(t *testing.T) {
	c := turns(t, reporttest.Bundled(6, 1), reporttest.Change(reporttest.Bundled(6, 1), "pipe", 0.9), 8)
	for text, want := range map[string]int{
		"operations<-8%": 2, "operations<-13%": 0, "operations>-13%": 2, "operations>0%": 0, "operations>-7%": 0,
		"pipe:operations<-8%": 2, "pipe/threads:operations<-8%": 1, "spin:operations<-8%": 0,
		"/threads:operations<-8%": 1, "spin alone:operations<0%": 0, "cost_p50>0%": 0, "cost_p50<0%": 0,
	} {
		if strings.HasPrefix(text, "spin alone") {
			if err := c.Check(conditions(t, text), compare.CheckOptions{}); err == nil {
				t.Errorf("%s covers something", text)
			}
			continue
		}
		met := check(t, c, compare.CheckOptions{}, text)[0].Met
		if len(met) != want {
			t.Errorf("%s: met %q", text, met)
		}
		if want > 0 && len(met) > 0 && !strings.Contains(met[0]+met[len(met)-1], "pipe threads (-") {
			t.Errorf("%s: %q does not say where", text, met)
		}
	}
}

// Figures that are shown to be within a limit are counted apart from undecided ones, and the
// interval is stricter than the estimate.
func TestCheckSaysWhatItCouldNotJudge(t *testing.T) {
	planted := func(spread float64) *compare.Comparison {
		slower := reporttest.Change(reporttest.Bundled(6, 1), "pipe", 0.9)
		a, b := reporttest.Turns(reporttest.Bundled(6, 1), slower, 8, spread, 5)
		return comparedRuns(t, a, b)
	}
	quiet, noisy := planted(0.005), planted(0.2)
	for _, c := range []struct {
		in                     *compare.Comparison
		interval               bool
		text                   string
		met, within, undecided int
	}{
		{quiet, false, "operations<-8%", 2, 2, 0},
		{quiet, false, "operations<-9.9%", 2, 2, 0},
		{quiet, true, "operations<-9.9%", 0, 2, 2},
		{quiet, true, "operations<-8%", 2, 2, 0},
		{quiet, false, "operations<-12%", 0, 4, 0},
		{noisy, false, "operations<-5%", 0, 0, 4},
		{noisy, true, "operations>-99%", 0, 0, 4},
		{quiet, false, "operations>1", 4, 0, 0},
		{quiet, false, "operations<1", 0, 4, 0},
		{quiet, true, "jain_index>1.5", 0, 4, 0},
	} {
		got := check(t, c.in, compare.CheckOptions{Interval: c.interval}, c.text)[0]
		if len(got.Met) != c.met || got.Within != c.within || got.Undecided != c.undecided || got.Covered != 4 {
			t.Errorf("%s, by interval %v: %+v", c.text, c.interval, got)
		}
	}
}

// Few runs have an interval too, and a small change can be limited.
func TestCheckOfFewRunsAndSmallChanges(t *testing.T) {
	slower := reporttest.Change(reporttest.Bundled(6, 1), "pipe", 0.993)
	a, b := reporttest.Turns(reporttest.Bundled(6, 1), slower, 5, 0.0001, 5)
	c := comparedRuns(t, a, b)
	for text, want := range map[string][3]int{ // met, within, undecided
		"pipe:operations<-0.5%": {2, 0, 0}, "pipe:operations>1": {2, 0, 0}, "pipe:operations<1": {0, 2, 0},
		"pipe:wait_max>1ns": {2, 0, 0}, "pipe:wait_max>9s": {0, 2, 0},
	} {
		got := check(t, c, compare.CheckOptions{Interval: true}, text)[0]
		if [3]int{len(got.Met), got.Within, got.Undecided} != want {
			t.Errorf("%s: %+v", text, got)
		}
		if err := c.Undecidable(); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	lone := compared(t, reporttest.Bundled(12, 1), reporttest.Bundled(12, 1))
	if got := check(t, lone, compare.CheckOptions{Interval: true}, "wait_max>9s")[0]; got.Within != 4 {
		t.Errorf("the longest wait of a lone run: %+v", got)
	}
}

// A condition that can never be met is an error.
func TestCheckRefusesWhatCannotBeDecided(t *testing.T) {
	c := compared(t, reporttest.Bundled(12, 1), reporttest.Bundled(12, 1))
	for _, text := range []string{"pip:operations<0%", "creation>5%", "/command:operations<0%"} {
		err := c.Check(conditions(t, text), compare.CheckOptions{})
		if err == nil || !strings.Contains(err.Error(), "have no such figure") {
			t.Errorf("%s: error %v", text, err)
		}
	}
	check(t, c, compare.CheckOptions{}, "operations<0%")
	if err := c.Undecidable(); err == nil || !strings.Contains(err.Error(), "--like") {
		t.Errorf("one run a side: error %v", err)
	}
	check(t, c, compare.CheckOptions{}, "operations<0")
	if err := c.Undecidable(); err != nil {
		t.Errorf("a value needs no second report: %v", err)
	}
	c = turns(t, reporttest.Bundled(6, 1), reporttest.Bundled(6, 1), 4)
	check(t, c, compare.CheckOptions{}, "operations<0%")
	if err := c.Undecidable(); err != nil {
		t.Errorf("four runs a side: error %v", err)
	}
}

// A rise from 0 is beyond any limit.
func TestCheckKnowsRisesFromNothing(t *testing.T) {
	old, other := reporttest.Bundled(6, 1), reporttest.Bundled(6, 1)
	for i := range old.Trials {
		for j := range old.Trials[i].Workers {
			old.Trials[i].Workers[j].WaitMaxNS = 0
		}
	}
	for _, r := range []*report.Report{old, other} {
		r.ComputeQuality()
	}
	for i, got := range check(t, turns(t, old, other, 6), compare.CheckOptions{}, "wait_max>1000000%", "wait_max<1%") {
		if met := len(got.Met) > 0; met != (i == 0) {
			t.Errorf("%+v", got)
		}
	}
	for i, got := range check(t, turns(t, other, old, 6), compare.CheckOptions{}, "wait_max<-99%", "wait_max>1%") {
		if met := len(got.Met) > 0; met != (i == 0) {
			t.Errorf("the other way: %+v", got)
		}
	}
}

func FuzzParseCondition(f *testing.F) {
	for _, seed := range []string{
		"cost_p50>5%", "operations<-5%", "pipe/threads:cost_p50>5%", "/:x>%", "a:b:c/d>1e9%", "\xff>\x00%",
		"cost_p50>0x1p-2%",
	} {
		f.Add(seed)
	}
	names := map[string]bool{}
	for _, n := range compare.MetricNames() {
		names[n] = true
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := compare.ParseCondition(text)
		if err != nil {
			return
		}
		if c.String() != text || !names[c.Metric] || c.Limit != c.Limit ||
			c.Absolute == strings.HasSuffix(strings.TrimSpace(text), "%") {
			t.Errorf("%q is read as %+v", text, c)
		}
	})
}
