package view_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/sched"
	"github.com/slicetrace/slicetrace/report/view"
)

func watched() *report.Report {
	return reporttest.System(reporttest.SystemSize{Cores: 4, Tasks: 24, Groups: 5, Intervals: 6})
}

// items are the texts of a section's list by name.
func items(s *view.Summary, title string) map[string]string {
	out := map[string]string{}
	for _, section := range s.Sections {
		if section.Title == title {
			for _, i := range section.Items {
				out[i.Name] = i.Text
			}
		}
	}
	return out
}

// quietSystem is a watch of a second in which the given tasks had their cores and nothing else was.
func quietSystem(cores []report.Core, tasks ...report.Task) *report.Report {
	groups := []report.Group{{ID: 7, Path: "/system.slice/db.service", Kind: "unit", Name: "db.service"}}
	return &report.Report{
		Setup: report.Setup{Watch: &report.Watch{All: true, EveryNS: int64(time.Second)}},
		Trials: []report.Trial{{
			Mode: report.SystemMode, Round: 1, DurationNS: int64(time.Second), Cores: cores,
			System: &report.System{Groups: groups, Tasks: tasks},
		}},
	}
}

func taskOf(tid sched.TID, comm string, did report.Activity) report.Task {
	return report.Task{Activity: did, PID: sched.PID(tid), TID: tid, Comm: comm, Group: 7}
}

// Each thing that stands out is said with its figures, and nothing is said where nothing does.
func TestWhatStandsOut(t *testing.T) {
	const title = "What stands out"
	ms := func(n uint64) uint64 { return n * uint64(time.Millisecond) }
	quiet := quietSystem(nil, taskOf(1, "a", report.Activity{OnCPUNS: 5}))
	if got := items(view.Overview(quiet), title); len(got) > 0 {
		t.Errorf("of a quiet system: %v", got)
	}
	r := quietSystem([]report.Core{
		{CPU: 2, WallNS: int64(ms(1000)), IdleNS: int64(ms(750))},
		{CPU: 3, WallNS: int64(ms(1000)), Wait: reporttest.HistogramOf(2, ms(300))},
	},
		taskOf(11, "spins", report.Activity{OnCPUNS: int64(ms(1000))}),
		taskOf(12, "half", report.Activity{OnCPUNS: int64(ms(499))}),
		taskOf(13, "busy", report.Activity{
			OnCPUNS: int64(ms(600)), WaitNS: int64(ms(600)), ThrottledNS: int64(ms(90)),
			Waits:   reporttest.HistogramOf(2, ms(300)),
			EndedBy: report.CauseCounts{Blocked: 50, Tick: 100, Wakeup: 40, Throttled: 10},
		}),
	)
	r.Trials[0].System.Groups[0].Throttling = &report.Throttling{Times: 3, NS: int64(ms(250))}
	short := report.Activity{OnCPUNS: int64(ms(20))}
	r.Trials[0].System.Ended = []report.EndedTasks{{Group: 7, Comm: "sh", Tasks: 30, Activity: short}}
	want := map[string]string{
		"longest waits":        "300 ms of busy (13, db.service) in interval 1.",
		"involuntary switches": "busy (13, db.service) 150/s (75 % of its switches, mostly by tick).",
		"never switched out":   "spins (11, db.service), which had a core 100 % of the time.",
		"short-lived": "30 tasks began and ended within an interval, and had 2.0 % of a core together: " +
			"30 sh (2.0 %).",
		"throttled": "db.service 3 times by its own quota, for 250 ms added up over cores, its tasks for 90.0 ms " +
			"(and they waited 600 ms for a core). Time throttled is in no wait.",
		"imbalance": "In 1 of 1 interval tasks waited for one core while another was idle most of the time. " +
			"In interval 1, 0.600 tasks at a time waited for core 3, and core 2 was idle 75 % of the time. " +
			"Affinity and cpusets can be the reason.",
	}
	if diff := cmp.Diff(want, items(view.Overview(r), title)); diff != "" {
		t.Errorf("it is said (-want +got):\n%s", diff)
	}
	// A core that is idle for less, or hardly waited for, is no imbalance.
	for name, change := range map[string]func(*report.Trial){
		"less idle": func(t *report.Trial) { t.Cores[0].IdleNS = int64(ms(490)) },
		"no waits":  func(t *report.Trial) { t.Cores[1].Wait = reporttest.HistogramOf(1, ms(90)) },
		"the same": func(t *report.Trial) {
			t.Cores[0].IdleNS, t.Cores[1].IdleNS = 0, int64(ms(750))
		},
	} {
		other := reporttest.Copy(withSchema(r))
		change(&other.Trials[0])
		if got := items(view.Overview(other), title)["imbalance"]; got != "" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func withSchema(r *report.Report) *report.Report {
	r.Schema = report.SchemaVersion
	return r
}

// A section shows the tasks with the greatest figures, and says how many more there are.
func TestTasksOfAWatchAreInOrder(t *testing.T) {
	r := reporttest.System(reporttest.SystemSize{Cores: 4, Tasks: 120, Groups: 5, Intervals: 2})
	w := metric.Gather(metric.SystemTrials(r))
	tids := map[string]bool{}
	s := section(t, view.Overview(r), "Tasks")
	for _, g := range s.Groups {
		if len(g.Rows) != 3 {
			t.Errorf("%d tasks with %s", len(g.Rows), g.Name)
		}
		for _, row := range g.Rows {
			tids[row[0].Text] = true
		}
	}
	var first *metric.TaskSum
	for _, task := range w.Tasks {
		if first == nil || task.Switches() > first.Switches() {
			first = task
		}
	}
	row := s.Groups[1].Rows[0]
	if s.Groups[1].Name != "most switches" || row[0].Text != fmt.Sprint(first.Task.TID) ||
		row[1].Text != first.Task.Comm || row[4].Value.Value != float64(first.Switches())*1e9/float64(w.PassedNS) {
		t.Errorf("the first of %s is %v, want %+v", s.Groups[1].Name, row, first.Task)
	}
	want := fmt.Sprintf("%d more tasks in: slicetrace export REPORT --table tasks", len(w.Tasks)-len(tids))
	if len(s.Notes) != 1 || s.Notes[0] != want {
		t.Errorf("it says %q, want %q", s.Notes, want)
	}
	if got := len(section(t, view.Summarize(r), "Tasks").Groups[0].Rows); got != 10 {
		t.Errorf("with every figure: %d tasks", got)
	}
}

// The time of switches is scaled from the timed ones: a tenth of every second interval.
func TestCoreTimeOfAWatchIsScaled(t *testing.T) {
	r := watched()
	s := section(t, view.Overview(r), "Switches")
	rows := s.Groups[0].Rows
	sum := 0.0
	for _, row := range rows[:len(rows)-1] {
		sum += row[8].Value.Value
		if !row[8].Spread.Known || row[8].Spread.Value <= 0 || row[8].Spread.Value > 50 {
			t.Errorf("%s has the interval ±%v %%", row[0].Text, row[8].Spread.Value)
		}
	}
	all := rows[len(rows)-1][8].Value.Value
	timed := 0.0
	for i := range r.Trials {
		share, _ := r.Trials[i].SwitchingShare()
		timed += 100 * share / float64(len(r.Trials))
	}
	if d := sum/all - 1; d < -0.001 || d > 0.001 || all < 18*timed || all > 22*timed {
		t.Errorf("classes have %v %%, all %v %%; timed were %v %%", sum, all, timed)
	}
	if !strings.Contains(s.Notes[0], "300 ms in all, in 3 of 6 intervals") {
		t.Errorf("it says %q", s.Notes)
	}
}

// A page has every section, and its charts the figures of their tables.
func TestPageOfAWatch(t *testing.T) {
	p := view.PageOf(watched())
	var names []string
	for _, e := range p.Exhibits {
		names = append(names, e.Name)
	}
	want := "remarkable switches cost cores groups processes tasks time slices distributions trust"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("exhibits are %s", got)
	}
	if e := exhibit(t, p, "cost"); e.Chart == nil || len(e.Chart.Rows) != len(e.Groups[0].Rows) {
		t.Errorf("the chart is %+v", e.Chart)
	}
	if !strings.HasPrefix(p.Headline, "For 6.00 s, 4 cores were busy 72.8 % of their time and switched 37 226/s") ||
		len(p.Highlights) != 6 || p.Distributions[0].Load != "the system" {
		t.Errorf("%s %v", p.Headline, p.Highlights)
	}
}

// A watch that was interrupted within its first interval is not taken for a command.
func TestWatchWithoutIntervals(t *testing.T) {
	r := watched()
	r.Trials = nil
	r.ComputeQuality()
	for _, s := range append(view.Overview(r).Sections, view.Summarize(r).Sections...) {
		if s.Title != "Trust" {
			t.Errorf("there is a section %s", s.Title)
		}
	}
	if p := view.PageOf(r); !strings.Contains(p.Headline, "no interval") {
		t.Errorf("the page says %s", p.Headline)
	}
}

// Time throttled is never called waiting, and findings are not drawn from a watch.
func TestAWatchDrawsNoFindings(t *testing.T) {
	for _, s := range view.Summarize(watched()).Sections {
		if s.Title == "Findings" || strings.Contains(s.Title, "Processes or threads") {
			t.Errorf("there is a section %s", s.Title)
		}
	}
}
