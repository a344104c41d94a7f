package view_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/sched"
	"github.com/slicetrace/slicetrace/report/view"
)

// The first screen has the pairs with the longest waits, their relations, and names ping-pongs.
func TestPairsOfAWatch(t *testing.T) {
	r := reporttest.Stacks()
	s := section(t, view.Overview(r), "Who took the core")
	var got []string
	for _, row := range s.Groups[0].Rows {
		got = append(got, row[0].Text+" | "+row[1].Text+" | "+row[2].Text)
	}
	want := []string{
		"agent [1050] | sampler [1050 agent] | the same process",
		"agent [1050] | postgres [1000] | in another group",
		"agent [1050] | nginx [1003] | in the same group",
		"postgres [1000] | kworker/1:2 [91] | the kernel",
		"nginx [1003] | others | ",
	}
	if !slices.Equal(got, want) {
		t.Errorf("it shows %q, want %q", got, want)
	}
	first := s.Groups[0].Rows[0]
	seconds := float64(r.Trials[0].DurationNS+r.Trials[1].DurationNS) / 1e9
	if rate := first[3].Value.Value; rate != 2700/seconds || first[4].Value.Value != 280e6 ||
		first[6].Value.Value != 280e6/2700 {
		t.Errorf("the first is %v a second, %v, %v on average", rate, first[4].Value, first[6].Value)
	}
	woken := section(t, view.Overview(r), "Who woke whom")
	if by := woken.Groups[0].Rows[2][1].Text; by != "an interrupt" {
		t.Errorf("the third is woken by %s", by)
	}
	if len(woken.Notes) != 1 || !strings.HasPrefix(woken.Notes[0],
		"Ping-pong: postgres [1000] and nginx [1003] wake each other ") {
		t.Errorf("it says %q", woken.Notes)
	}
	full := section(t, view.Summarize(r), "Who took the core").Groups[0].Rows[1]
	if full[1].Text != "postgres [1000, db0.service]" {
		t.Errorf("with every figure: %q", full[1].Text)
	}
}

// A matrix has the tasks with the longest waits and the sum of all others: nothing is missing.
func TestMatrixOfPairs(t *testing.T) {
	r := reporttest.Stacks()
	r.Trials[1].Why = nil
	why := r.Trials[0].Why
	why.Pairs = nil
	const tasks = 20
	all := int64(0)
	for i := range tasks {
		for j := range tasks {
			wait := int64((tasks - i) * (tasks - j))
			all += wait
			why.Pairs = append(why.Pairs, report.Pair{
				Kind: report.PairTaken, Count: 1, WaitNS: wait,
				Task: &report.PairTask{PID: sched.PID(i), Comm: "a"},
				By:   &report.PairTask{PID: sched.PID(j), Comm: "b"},
			})
		}
	}
	m := exhibit(t, view.PageOf(r), "taken-matrix")
	rows := m.Groups[0].Rows
	if len(rows) != 13 || len(m.Columns) != 14 || m.Columns[2].Name != "b [1]" || m.Columns[13].Name != "all others" {
		t.Fatalf("it has %d rows and columns %v", len(rows), m.Columns)
	}
	sum := 0.0
	for i, row := range rows {
		name := fmt.Sprintf("a [%d]", i)
		if i == 12 {
			name = "all others"
		}
		if row[0].Text != name {
			t.Errorf("row %d is of %s", i, row[0].Text)
		}
		for _, cell := range row[1:] {
			sum += cell.Value.Value
		}
	}
	if rows[1][3].Value.Value != 19*18 || sum != float64(all) {
		t.Errorf("one cell has %v, all have %v of %d", rows[1][3].Value, sum, all)
	}
	for _, e := range view.PageOf(r).Exhibits {
		if e.Name == "woken-matrix" {
			t.Error("there is a matrix without pairs")
		}
	}
}
