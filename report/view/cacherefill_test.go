package view

import (
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/report"
)

// walked is a report in which a walk through memory takes after ns just after a switch and alone ns
// without one.
func walked(rounds int, after, alone int64) *report.Report {
	r := &report.Report{Setup: report.Setup{Modes: []report.Mode{report.Processes, report.Threads}, Rounds: rounds}}
	for round := 1; round <= rounds; round++ {
		for _, mode := range r.Setup.Modes {
			noise := 2 * int64(round%3-1)
			r.Trials = append(r.Trials, report.Trial{
				Workload: "workingset", Variant: "256 KiB each", Mode: mode, Round: round, DurationNS: 1e9,
				Operations: 1000, Workers: make([]report.Worker, 2),
				Figures: []report.Figure{
					{Name: "walk_switched_p50_ns", Value: 2*after + noise}, {Name: "walk_alone_p50_ns", Value: alone},
				},
			})
		}
	}
	return r
}

// The table shows the ratio if the test finds a difference, and ~ if it does not.
func TestCacheRefillIsCompared(t *testing.T) {
	for _, c := range []struct {
		after, alone int64
		ratio        string
	}{{20_000, 10_000, "2.00"}, {10_000, 10_000, "~"}, {15_000, 10_000, "1.50"}} {
		s := cacheRefillSection(walked(12, c.after, c.alone))
		if len(s.Groups) != 1 || len(s.Groups[0].Rows) != 1 {
			t.Fatalf("got %+v", s)
		}
		row := s.Groups[0].Rows[0]
		for i := range 2 {
			cell := row[3+i]
			if got := cell.Text + cell.Value.String(); !strings.HasPrefix(strings.TrimSuffix(got, "–"), c.ratio) {
				t.Errorf("%d after %d: the ratio is %q, want %s", c.after, c.alone, got, c.ratio)
			}
		}
	}
}
