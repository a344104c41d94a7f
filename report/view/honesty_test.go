package view_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/findings"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/view"
)

// level is the rate of false alarms that the test of differences allows.
const level = 0.05

func TestAtLeastIsTheBinomialTail(t *testing.T) {
	for _, c := range []struct {
		k, n int
		p, q float64
	}{{0, 5, 0.3, 1}, {1, 2, 0.5, 0.75}, {2, 2, 0.1, 0.01}, {3, 4, 0.5, 5.0 / 16}} {
		if got := reporttest.AtLeast(c.k, c.n, c.p); math.Abs(got-c.q) > 1e-12 {
			t.Errorf("P(%d or more of %d at %g) is %g, want %g", c.k, c.n, c.p, got, c.q)
		}
	}
}

// study simulates pairs of runs of twelve rounds in both modes, with threads faster by some factor,
// and with drift that affects both modes of a round equally. It counts how often a table shows a
// ratio, how often the claim of faster threads is supported, and how often a mode is called better.
func study(t *testing.T, pairs int, faster, spread, drift float64, seed uint64) (shown, supported, preferred int) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 1))
	for range pairs {
		var processes, threads []int64
		for range 12 {
			pace := 1e6 * (1 + drift*random.NormFloat64())
			processes = append(processes, int64(pace*(1+spread*random.NormFloat64())))
			threads = append(threads, int64(pace*faster*(1+spread*random.NormFloat64())))
		}
		r := opsReport(processes, threads)
		for i := range r.Trials {
			r.Trials[i].Workload = "pipe"
		}
		findings.Compute(r)
		s := view.Summarize(r)
		if find(t, section(t, s, "Processes or threads"), "pipe", "operations")[3].Text != "~" {
			shown++
		}
		isC3 := func(f report.Finding) bool { return f.Claim == "C3" && f.Verdict == report.Supported }
		if slices.ContainsFunc(r.Findings, isC3) {
			supported++
		}
		better := find(t, section(t, s, "Processes or threads?"), "", "hand-offs by pipe")[2].Text
		if better == "threads" || better == "processes" {
			preferred++
		}
	}
	return shown, supported, preferred
}

// An A/A study compares the same work under two labels. If false alarms were as frequent as the
// level allows, so many would still occur in one study of a thousand.
func TestAlikeLabelsRaiseNoMoreAlarmsThanTheLevel(t *testing.T) {
	const pairs = 400
	for _, c := range []struct{ spread, drift float64 }{{0.02, 0}, {0.02, 0.02}, {0.10, 0}} {
		shown, supported, preferred := study(t, pairs, 1, c.spread, c.drift, 11)
		t.Logf("spread %g, drift %g: of %d pairs %d shown as different, C3 supported in %d, a mode preferred in %d",
			c.spread, c.drift, pairs, shown, supported, preferred)
		for what, alarms := range map[string]int{
			"a ratio is shown": shown, "C3 is supported": supported, "a mode is preferred": preferred,
		} {
			if reporttest.AtLeast(alarms, pairs, level) < 0.001 {
				t.Errorf("spread %g, drift %g: %s in %d of %d pairs of equals, more than a level of %g allows",
					c.spread, c.drift, what, alarms, pairs, level)
			}
		}
	}
}

func TestATenPercentShiftIsFound(t *testing.T) {
	const pairs = 200
	shown, supported, preferred := study(t, pairs, 1.1, 0.02, 0.02, 12)
	t.Logf("of %d pairs %d shown as different, C3 supported in %d, a mode preferred in %d",
		pairs, shown, supported, preferred)
	for what, found := range map[string]int{
		"a ratio is shown": shown, "C3 is supported": supported, "threads are preferred": preferred,
	} {
		if float64(found) < 0.9*pairs {
			t.Errorf("%s in %d of %d pairs that differ by 10 %%", what, found, pairs)
		}
	}
}

// A table of eleven kinds of work, whose modes differ by slightly less than what counts as alike,
// calls a mode better no more often than the level allows for the whole table. If each row were
// tested by itself, that would happen in one table of four.
func TestATableOfEqualsPrefersSeldom(t *testing.T) {
	if testing.Short() {
		t.Skip("counts what the race detector would only slow down: runs without -short")
	}
	const tables, rounds, spread = 300, 12, 0.05
	kinds := [][2]string{
		{"pipe", ""}, {"socket", ""}, {"futex", ""}, {"messaging", ""}, {"yield", ""}, {"spin", ""}, {"scale", "256"},
		{"spawn", ""}, {"sleep", "many"}, {"counter", "atomic"}, {"counter", "lock"},
	}
	random := rand.New(rand.NewPCG(13, 1))
	wrong, found := 0, 0
	for _, faster := range []float64{1.0499, 1.2} {
		for range tables {
			r := &report.Report{}
			for _, k := range kinds {
				for round := 1; round <= rounds; round++ {
					for mode, pace := range map[report.Mode]float64{report.Processes: 1, report.Threads: faster} {
						ops := 1e6 * pace * math.Exp(spread*random.NormFloat64())
						r.Trials = append(r.Trials, report.Trial{
							Workload: k[0], Variant: k[1], Mode: mode, Round: round, DurationNS: 1e9,
							Operations: int64(ops),
						})
					}
				}
			}
			preferred := 0
			for _, row := range section(t, view.Summarize(r), "Processes or threads?").Groups[0].Rows {
				if row[2].Text == "threads" {
					preferred++
				}
			}
			switch {
			case faster > 1.1 && preferred == len(kinds):
				found++
			case faster < 1.1 && preferred > 0:
				wrong++
			}
		}
	}
	t.Logf("of %d tables of equals %d prefer threads somewhere; "+
		"of as many in which threads are 20 %% faster %d say so of each kind", tables, wrong, found)
	if reporttest.AtLeast(wrong, tables, level) < 0.001 {
		t.Errorf("threads are preferred somewhere in %d of %d tables of equals", wrong, tables)
	}
	if found < tables*8/10 {
		t.Errorf("only %d of %d tables prefer threads everywhere, where they are 20 %% faster", found, tables)
	}
}
