package view_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/view"
)

// section returns the section with the title.
func section(t *testing.T, s *view.Summary, title string) view.Section {
	t.Helper()
	for _, section := range s.Sections {
		if section.Title == title {
			return section
		}
	}
	t.Fatalf("no section %q", title)
	return view.Section{}
}

// find returns the row of a group whose leading texts are the given ones.
func find(t *testing.T, s view.Section, group string, lead ...string) view.Row {
	t.Helper()
	for _, g := range s.Groups {
		if g.Name != group {
			continue
		}
		for _, row := range g.Rows {
			same := true
			for i, text := range lead {
				same = same && row[i].Text == text
			}
			if same {
				return row
			}
		}
	}
	t.Fatalf("section %q, group %q has no row %q", s.Title, group, lead)
	return nil
}

// classReport has one core with known switches in each mode of a workload.
func classReport() *report.Report {
	trial := func(mode report.Mode, round int, class report.Class, pick, change uint64) report.Trial {
		return report.Trial{
			Workload: "pipe", Mode: mode, Round: round, DurationNS: 1000,
			Cores: []report.Core{{CPU: 3, WallNS: 1000, Classes: []report.ClassStats{{
				Class: class, Switches: 20, Pick: reporttest.HistogramOf(20, pick),
				Switch: reporttest.HistogramOf(20, change), Cost: reporttest.HistogramOf(20, pick+change),
			}}}},
		}
	}
	return &report.Report{Trials: []report.Trial{
		trial(report.Processes, 1, report.ClassProcess, 10, 15),
		trial(report.Threads, 1, report.ClassThread, 5, 7),
		trial(report.Processes, 2, report.ClassProcess, 10, 15),
		// A process switch in a threads trial does not count for the workload.
		trial(report.Threads, 2, report.ClassProcess, 1, 1),
	}}
}

func TestSwitchesArePooledOverTrialsOfTheirMode(t *testing.T) {
	s := section(t, view.Summarize(classReport()), "Switch cost per core")
	for _, c := range []struct {
		class                          string
		switches, pick, change, shares float64
	}{
		{"process → process", 40, 10, 15, 50}, // 40 × 25 of 2 × 1000 ns
		{"thread → thread", 20, 5, 7, 12},     // 20 × 12 of 2 × 1000 ns
	} {
		row := find(t, s, "pipe", "3", c.class)
		for i, want := range map[int]float64{2: c.switches, 3: c.pick, 4: c.change, 7: c.shares} {
			if got := row[i].Value; !got.Known || got.Value != want {
				t.Errorf("%s: %s is %+v, want %v", c.class, s.Columns[i].Name, got, want)
			}
		}
	}
}

func TestAbsentIsNotZero(t *testing.T) {
	s := section(t, view.Summarize(reporttest.WithoutPick(classReport())), "Switch cost per core")
	row := find(t, s, "pipe", "3", "thread → thread")
	// 20 switches are too few for a p99.
	for i, known := range map[int]bool{2: true, 3: false, 4: true, 5: false, 6: false, 7: false} {
		if row[i].Value.Known != known {
			t.Errorf("%s: known is %v", s.Columns[i].Name, row[i].Value.Known)
		}
	}
}

// opsReport has one trial per round in each mode, with the given operations.
func opsReport(processes, threads []int64) *report.Report {
	r := &report.Report{}
	for mode, ops := range map[report.Mode][]int64{report.Processes: processes, report.Threads: threads} {
		for i, n := range ops {
			r.Trials = append(r.Trials, report.Trial{
				Workload: "w", Mode: mode, Round: i + 1, DurationNS: 1e9, Operations: n,
			})
		}
	}
	return r
}

func TestModesAreComparedByRounds(t *testing.T) {
	base := []int64{100, 101, 102, 103, 104, 105}
	double := []int64{200, 202, 204, 206, 208, 210}
	for _, c := range []struct {
		name               string
		processes, threads []int64
		ratio              float64 // 0 when there must be none
		spread             bool
		notes              string
	}{
		{"distinct", double, base, 2, true, ""},
		{"alike", base, base, 0, true, ""},
		{"all equal", []int64{5, 5, 5, 5, 5, 5}, []int64{5, 5, 5, 5, 5, 5}, 0, true, ""},
		{"constant but apart", []int64{6, 6, 6, 6, 6, 6}, []int64{5, 5, 5, 5, 5, 5}, 1.2, true, ""},
		{"too few", double[:5], base[:5], 0, false, "need >= 6 samples"},
		{"one round", double[:1], base[:1], 0, false, "need >= 6 samples"},
		// The 11th of the 21 averages of two of 10, 5.5, 4, 3.25, 2.8 and 2.5. The ratio of the
		// medians would be 3.57.
		{
			"paired by round", []int64{100, 110, 120, 130, 140, 150}, []int64{10, 20, 30, 40, 50, 60},
			math.Sqrt(5.5 * 2.8), true, "",
		},
	} {
		s := section(t, view.Summarize(opsReport(c.processes, c.threads)), "Processes or threads")
		row := find(t, s, "w", "operations")
		ratio, p := row[3], row[4].Value
		switch {
		case c.ratio == 0 && (ratio.Text != "~" || ratio.Value.Known || p.Value <= 0.05):
			t.Errorf("%s: ratio is %+v, p %v, want ~", c.name, ratio, p.Value)
		case c.ratio != 0 && (math.Abs(ratio.Value.Value-c.ratio) > 1e-9 || p.Value > 0.05):
			t.Errorf("%s: ratio is %+v, p %v, want %v", c.name, ratio, p.Value, c.ratio)
		}
		if row[1].Spread.Known != c.spread {
			t.Errorf("%s: spread is %+v", c.name, row[1].Spread)
		}
		notes := strings.Join(s.Notes, " ")
		if !strings.Contains(notes, c.notes) || (c.notes == "") != (notes == "") || len(s.Notes) > 1 {
			t.Errorf("%s: notes are %q, want %q", c.name, s.Notes, c.notes)
		}
	}
}

func TestManyCoresAreCondensed(t *testing.T) {
	s := section(t, view.Summarize(reporttest.Bundled(1, 9)), "Switch cost per core")
	all := find(t, s, "pipe", "all", "thread → thread")
	var sum, rows int
	for _, trial := range reporttest.Bundled(1, 9).Trials {
		if trial.Workload == "pipe" && trial.Mode == report.Threads {
			sum += int(trial.Class(report.ClassThread).Switches)
		}
	}
	if got := int(all[2].Value.Value); got != sum {
		t.Errorf("all cores have %d switches, want %d", got, sum)
	}
	for _, g := range s.Groups {
		rows += len(g.Rows)
	}
	if want := 7 * 3; rows != want {
		t.Errorf("%d rows, want %d", rows, want)
	}
	if note := fmt.Sprintf("%d more rows", 7*9-7*2); !strings.Contains(strings.Join(s.Notes, " "), note) {
		t.Errorf("notes %q lack %q", s.Notes, note)
	}
}

func TestSummaryOfNothing(t *testing.T) {
	s := view.Summarize(new(report.Report))
	if len(s.Sections) != 1 || s.Sections[0].Title != "Trust" {
		t.Errorf("sections are %+v", s.Sections)
	}
}

func TestTasksShowsTheBusiest(t *testing.T) {
	r := reporttest.Command()
	s := section(t, view.Summarize(r), "Tasks")
	rows := s.Groups[0].Rows
	for i := 1; i < len(rows); i++ {
		if rows[i][2].Value.Value > rows[i-1][2].Value.Value {
			t.Errorf("row %d has more CPU time than row %d", i, i-1)
		}
	}
	shown, tasks := len(rows), 0
	for i := range r.Trials[0].Workers {
		tasks += r.Trials[0].Workers[i].Tasks()
	}
	want := fmt.Sprintf("%d more tasks", tasks-shown)
	if shown != 10 || !strings.HasPrefix(strings.Join(s.Notes, " "), want) {
		t.Errorf("%d tasks shown, notes %q, want %q", shown, s.Notes, want)
	}
}
