package view_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/view"
)

// commandTable returns the section of commands that took turns.
func commandTable(t *testing.T, r *report.Report) view.Section {
	t.Helper()
	for _, s := range view.Overview(r).Sections {
		if s.Title == "Commands side by side" || s.Title == "The command, round by round" {
			return s
		}
	}
	t.Fatal("the report has no such section")
	return view.Section{}
}

// rowsOf returns the rows of a figure in a group: its own, and that of the ratios.
func rowsOf(t *testing.T, s view.Section, group, figure string) (medians, ratios view.Row) {
	t.Helper()
	for _, g := range s.Groups {
		at := slices.IndexFunc(g.Rows, func(r view.Row) bool { return r[0].Text == figure })
		if g.Name == group && at >= 0 {
			if at+1 < len(g.Rows) {
				ratios = g.Rows[at+1]
			}
			return g.Rows[at], ratios
		}
	}
	t.Fatalf("%s: no %s", group, figure)
	return nil, nil
}

func near(x, want, within float64) bool { return x > want*(1-within) && x < want*(1+within) }

// Commands are columns; below a figure is the ratio to the first, with its interval or ~.
func TestCommandsSideBySide(t *testing.T) {
	s := commandTable(t, reporttest.Commands(12))
	if len(s.Columns) != 3 || s.Columns[1].Name != "server -w 4" || s.Columns[2].Name != "server --threads 4" {
		t.Errorf("columns %v", s.Columns)
	}
	for _, group := range []string{"traced", "untraced"} {
		medians, ratios := rowsOf(t, s, group, "wall time")
		if medians[1].Value.Unit != report.Nanoseconds || !medians[2].Spread.Known {
			t.Errorf("%s: %v", group, medians)
		}
		if r := ratios[2]; ratios[0].Text != "÷ server -w 4" || !near(r.Value.Value, 2./3, 0.02) || !r.Spread.Known {
			t.Errorf("%s: ratios %v", group, ratios)
		}
		if _, ratios := rowsOf(t, s, group, "output (req/s)"); !near(ratios[2].Value.Value, 3, 0.02) {
			t.Errorf("%s: ratios of the output %v", group, ratios)
		}
		if _, ratios := rowsOf(t, s, group, "CPU time"); ratios[2].Text != "~" {
			t.Errorf("%s: ratios of equal CPU times %v", group, ratios)
		}
	}
	slowed, _ := rowsOf(t, s, "untraced", "wall time, traced ÷ untraced")
	if !near(slowed[1].Value.Value, 1.05, 0.015) || !near(slowed[2].Value.Value, 1.05, 0.015) {
		t.Errorf("the tracer slows down by %v", slowed)
	}
}

// One sentence names the fastest command, or says that there is none and why.
func TestFastestCommand(t *testing.T) {
	slower := func(r *report.Report, factor int64) *report.Report {
		for _, trials := range [][]report.Trial{r.Trials, r.Untraced} {
			for i := range trials {
				if trials[i].Workload == "server --threads 4" {
					trials[i].DurationNS = trials[i].DurationNS * factor / 100
				}
			}
		}
		return r
	}
	less := reporttest.Commands(12)
	less.Setup.Output.LessIsBetter = true
	for name, c := range map[string]struct {
		r    *report.Report
		want []string
	}{
		"the second": {reporttest.Commands(12), []string{
			"server --threads 4 is the fastest: its wall time is 0.66", " times that of server -w 4.",
			"server --threads 4 is the best by output (req/s): its output is ",
			"Without the tracer: server --threads 4 is",
		}},
		"the first": {slower(reporttest.Commands(12), 200), []string{
			"server -w 4 is the fastest: its wall time is 0.75",
		}},
		"none": {slower(reporttest.Commands(12), 150), []string{
			"No command is shown to be the best by wall time: the rounds show no difference between",
		}},
		"few rounds": {reporttest.Commands(4), []string{
			"No command is shown to be the best by wall time: fewer than 6 rounds decide nothing.",
			"In 2 rounds the commands also ran without the tracer, too few",
		}},
		"less is more": {less, []string{"server -w 4 is the best by output (req/s): its output is 0.33"}},
	} {
		notes := strings.Join(commandTable(t, c.r).Notes, "\n")
		for _, want := range c.want {
			if !strings.Contains(notes, want) {
				t.Errorf("%s: %q does not say %q", name, notes, want)
			}
		}
		if headline := view.PageOf(c.r).Headline; headline != commandTable(t, c.r).Notes[0] {
			t.Errorf("%s: the page begins with %q", name, headline)
		}
	}
}

// A single command has its medians; failures that were ignored are told.
func TestCommandRoundByRound(t *testing.T) {
	r := reporttest.Commands(6)
	r.Setup.Commands = r.Setup.Commands[:1]
	other := func(t report.Trial) bool { return t.Workload != "server -w 4" }
	r.Trials, r.Untraced = slices.DeleteFunc(r.Trials, other), slices.DeleteFunc(r.Untraced, other)
	*r.Trials[2].ExitStatus, *r.Untraced[0].ExitStatus = 7, 7
	s := commandTable(t, r)
	if row, _ := rowsOf(t, s, "traced", "wall time"); len(row) != 2 || !near(row[1].Value.Value, 300e6, 0.02) {
		t.Errorf("row %v", row)
	}
	if notes := strings.Join(s.Notes, "\n"); notes != "server -w 4 failed in 2 of 9 runs, last with exit status 7." {
		t.Errorf("notes %q", notes)
	}
	if got := view.PageOf(r).Headline; !strings.Contains(got, "in the median of 6 rounds") {
		t.Errorf("the page begins with %q", got)
	}
}

// Long names are cut, and stay different.
func TestNamesOfCommands(t *testing.T) {
	r := reporttest.Commands(2)
	for i := range r.Trials {
		r.Trials[i].Workload = "a very long\nname of a command " + strings.Repeat("z", i%2+10)
	}
	s := commandTable(t, r)
	a, b := s.Columns[1].Name, s.Columns[2].Name
	if len([]rune(a)) > 24 || !strings.HasPrefix(a, "a very long ") || a == b || strings.Contains(a+b, "\n") {
		t.Errorf("%q and %q", a, b)
	}
}
