package report_test

import (
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

func conditions(t *testing.T, texts ...string) []report.Condition {
	t.Helper()
	var out []report.Condition
	for _, text := range texts {
		c, err := report.ParseCondition(text)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, c)
	}
	return out
}

func TestParseCondition(t *testing.T) {
	for text, want := range map[string]report.Condition{
		"cost_p50>5%":                          {Metric: "cost_p50", Percent: 5},
		"operations<-5%":                       {Metric: "operations", Less: true, Percent: -5},
		" operations < -2.5 % ":                {Metric: "operations", Less: true, Percent: -2.5},
		"pipe/threads:cost_p50>5%":             {Workload: "pipe", Mode: report.Threads, Metric: "cost_p50", Percent: 5},
		"pipe:cost_p50>5%":                     {Workload: "pipe", Metric: "cost_p50", Percent: 5},
		"/processes:cost_p50>5%":               {Mode: report.Processes, Metric: "cost_p50", Percent: 5},
		"workingset 16 KiB × 1:cost_p50>+1e1%": {Workload: "workingset 16 KiB × 1", Metric: "cost_p50", Percent: 10},
	} {
		got := conditions(t, text)[0]
		if got.String() != text || got.Workload != want.Workload || got.Mode != want.Mode || got.Metric != want.Metric ||
			got.Less != want.Less || got.Percent != want.Percent {
			t.Errorf("%q is read as %+v", text, got)
		}
	}
}

func TestParseConditionRefuses(t *testing.T) {
	all := strings.Join(report.MetricNames(), ", ")
	for text, says := range map[string]string{
		"": all, "cost_p50": all, "cost_p50=5%": all, "cost>5%": all, "cost_p5>5%": `did you mean "cost_p50"?`,
		"cost_p50>5": "no percentage", "cost_p50>%": "no percentage", "cost_p50>x%": "no percentage", "cost_p50>Inf%": "no percentage",
		"cost_p50>NaN%": "no percentage", "cost_p50>1e999%": "no percentage", "cost_p50>>5%": "no percentage", "cost_p50>=5%": "no percentage",
		"pipe/fibres:cost_p50>5%": "fibres", ":cost_p50>5%": "nothing before the colon", "pipe/:cost_p50>5%": `mode ""`,
	} {
		if c, err := report.ParseCondition(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %+v, error %v; want one that says %q", text, c, err, says)
		}
	}
}

// Conditions hold on one side of their limit only, and only of what changed.
func TestCheck(t *testing.T) {
	old, other := reporttest.FullPair(12, 1)
	c := compared(t, old, reporttest.Change(other, "pipe", 0.9))
	for text, want := range map[string]int{
		"operations<-8%": 1, "operations<-13%": 0, "operations>-13%": 1, "operations>0%": 0, "operations>-8%": 0,
		"pipe:operations<-8%": 1, "pipe/threads:operations<-8%": 1, "spin:operations<-8%": 0, "/threads:operations<-8%": 1,
		"spin one core:operations<0%": 0, "cost_p50>0%": 0, "cost_p50<0%": 0,
	} {
		met, err := c.Check(conditions(t, text))
		if err != nil || len(met) != want {
			t.Errorf("%s: met %q, error %v", text, met, err)
		}
		if want > 0 && len(met) > 0 && !strings.Contains(met[0], "pipe threads (-") {
			t.Errorf("%s: %q does not say where", text, met[0])
		}
	}
	met, err := c.Check(conditions(t, "operations<-8%", "cost_p50>5%", "/processes:operations<-8%"))
	if err != nil || len(met) != 2 {
		t.Errorf("of three conditions two are met: %q, error %v", met, err)
	}
}

// A gate that can never close is no gate.
func TestCheckRefusesWhatCannotBeDecided(t *testing.T) {
	c := compared(t, reporttest.Bundled(6, 1), reporttest.Bundled(6, 1))
	for _, text := range []string{"pip:operations<0%", "creation>5%", "/command:operations<0%"} {
		if _, err := c.Check(conditions(t, text)); err == nil || !strings.Contains(err.Error(), "share no such figure") {
			t.Errorf("%s: error %v", text, err)
		}
	}
	for rounds, refused := range map[int]bool{3: true, 4: false} {
		c := compared(t, reporttest.Bundled(rounds, 1), reporttest.Bundled(rounds, 1))
		if _, err := c.Check(conditions(t, "operations<0%")); (err != nil) != refused {
			t.Errorf("%d rounds: error %v", rounds, err)
		}
	}
}

// A rise from nothing is beyond any limit.
func TestCheckKnowsRisesFromNothing(t *testing.T) {
	old, other := reporttest.Bundled(6, 1), reporttest.Bundled(6, 1)
	for i := range old.Trials {
		for j := range old.Trials[i].Workers {
			old.Trials[i].Workers[j].WaitMaxNS = 0
		}
	}
	met, err := compared(t, old, other).Check(conditions(t, "wait_max>1000000%", "wait_max<1%"))
	if err != nil || len(met) != 1 {
		t.Errorf("met %q, error %v", met, err)
	}
	met, err = compared(t, other, old).Check(conditions(t, "wait_max<-99%", "wait_max>1%"))
	if err != nil || len(met) != 1 {
		t.Errorf("the other way: met %q, error %v", met, err)
	}
}

func FuzzParseCondition(f *testing.F) {
	for _, seed := range []string{"cost_p50>5%", "operations<-5%", "pipe/threads:cost_p50>5%", "/:x>%", "a:b:c/d>1e9%", "\xff>\x00%", "cost_p50>0x1p-2%"} {
		f.Add(seed)
	}
	names := map[string]bool{}
	for _, n := range report.MetricNames() {
		names[n] = true
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := report.ParseCondition(text)
		if err != nil {
			return
		}
		if c.String() != text || !names[c.Metric] || c.Percent != c.Percent || !strings.HasSuffix(strings.TrimSpace(text), "%") {
			t.Errorf("%q is read as %+v", text, c)
		}
	})
}
