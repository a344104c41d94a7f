package view_test

import (
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/view"
)

// switching returns a report of a command that ran for 2 s and had a core for so long. In that time
// there were 1000 switches between processes of 20 ns and 500 between threads of 12 ns.
func switching(onCPUNS int64) *report.Report {
	return &report.Report{
		Setup: report.Setup{Command: []string{"make"}, Rounds: 1},
		Trials: []report.Trial{{
			Workload: "make", Mode: report.Command, Round: 1, DurationNS: 2e9,
			Workers: []report.Worker{{OnCPUNS: onCPUNS}},
			Cores: []report.Core{{WallNS: 2e9, Classes: []report.ClassStats{
				{Class: report.ClassThread, Switches: 500, Cost: reporttest.HistogramOf(500, 12)},
				{Class: report.ClassProcess, Switches: 1000, Cost: reporttest.HistogramOf(1000, 20)},
			}}},
		}},
	}
}

// saving returns the texts that prices add to a report.
func saving(r, prices *report.Report) string {
	s := new(view.Summary)
	view.AddPrices(s, r, view.Prices{Report: prices, Name: "p.json"})
	if len(s.Sections) == 0 {
		return ""
	}
	return strings.Join(s.Sections[0].Notes, "\n")
}

// After a slice a switch of processes costs 15 ns more than one of threads: 1000 of them cost 15 µs.
func TestSavingIsWhatProcessSwitchesCostMore(t *testing.T) {
	few, cheap, elsewhere := priced(), priced(), priced()
	few.Trials = few.Trials[:16] // a round
	for i := range cheap.Trials {
		costing(&cheap.Trials[i], 20)
	}
	elsewhere.Host.CPUModel = "another"
	for name, c := range map[string]struct {
		prices  *report.Report
		onCPUNS int64
		want    string
	}{
		"worth it": {priced(), 1e6, "Switches between processes: 1 000, 500/s. With those between threads, " +
			"they took 26.0 µs, 2.60 % of the time that its tasks had a core.\n" +
			"Of this, processes cost 15.0 µs more than threads (15.0 µs to 15.0 µs). " +
			"So threads would save at most 1.50 % of that time. Refilling"},
		"not worth it": {priced(), 1e7, "So threads would save at most 0.150 % of that time: not worth it."},
		"one round": {few, 1e6,
			"more than threads (too few rounds for an interval). So threads would save about 1.50 %"},
		"no difference": {cheap, 1e6,
			"costs no more than one between threads (0 ns to 0 ns): threads would save nothing."},
		"another machine": {elsewhere, 1e6, "Note: the prices are of another machine: CPU another, here –."},
	} {
		if got := saving(switching(c.onCPUNS), c.prices); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q is not in:\n%s", name, c.want, got)
		}
	}
	if got := saving(switching(0), priced()); got != "" {
		t.Errorf("without any time there is %q", got)
	}
	if got := saving(priced(), priced()); got != "" {
		t.Errorf("of bundled work there is %q", got)
	}
}

func TestPricesOfAWatch(t *testing.T) {
	got := saving(reporttest.System(reporttest.SystemSize{Cores: 4, Tasks: 20, Groups: 3, Intervals: 3}), priced())
	if !strings.Contains(got, "of the time that cores were busy") || !strings.Contains(got, "threads would save") {
		t.Errorf("of a watch there is %q", got)
	}
}

func TestPricesNeedSwitchesOfBothModes(t *testing.T) {
	if lack := view.PricesLack(priced()); lack != "" {
		t.Errorf("prices lack %s", lack)
	}
	if lack := view.PricesLack(reporttest.Command()); !strings.Contains(lack, "slicetrace run pipe spin") {
		t.Errorf("a command's report lacks %q", lack)
	}
}
