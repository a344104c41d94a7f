package report

import (
	"fmt"
	"strings"
	"testing"
)

// walked is a report in which a walk through memory takes after ns behind a switch and
// alone ns without one, in so many rounds.
func walked(rounds int, after, alone int64) *Report {
	r := &Report{Setup: Setup{Modes: []Mode{Processes, Threads}, Rounds: rounds}}
	for round := 1; round <= rounds; round++ {
		for _, mode := range r.Setup.Modes {
			noise := 2 * int64(round%3-1)
			r.Trials = append(r.Trials, Trial{
				Workload: "workingset", Variant: "256 KiB each", Mode: mode, Round: round, DurationNS: 1e9, Operations: 1000, Workers: make([]Worker, 2),
				Figures: []Figure{{Name: "walk_switched_p50_ns", Value: 2*after + noise}, {Name: "walk_alone_p50_ns", Value: alone}},
			})
		}
	}
	return r
}

// What follows a switch is a figure with its test: a tie is said to be one, and so many
// times as long is that.
func TestAftermathIsCompared(t *testing.T) {
	for _, c := range []struct {
		after, alone int64
		ratio        string
	}{{20_000, 10_000, "2.00"}, {10_000, 10_000, "~"}, {15_000, 10_000, "1.50"}} {
		s := walked(12, c.after, c.alone).aftermathSection()
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

// The median of each worker is the sum's part; reports of an earlier version have sums
// of all turns.
func TestWalksOfBothVersions(t *testing.T) {
	for name, c := range map[string]struct {
		trial        Trial
		after, alone float64
		ok           bool
	}{
		"medians":       {walked(1, 300, 100).Trials[0], 300, 100, true},
		"sums":          {Trial{Operations: 10, Figures: []Figure{{Name: "first_pass_ns", Value: 50}, {Name: "second_pass_ns", Value: 20}}}, 5, 2, true},
		"nothing":       {Trial{Operations: 10, Workers: make([]Worker, 2)}, 0, 0, false},
		"one of two":    {Trial{Operations: 10, Workers: make([]Worker, 2), Figures: []Figure{{Name: "walk_alone_p50_ns", Value: 9}}}, 0, 0, false},
		"no workers":    {Trial{Figures: walked(1, 3, 1).Trials[0].Figures}, 0, 0, false},
		"no operations": {Trial{Figures: []Figure{{Name: "first_pass_ns", Value: 50}, {Name: "second_pass_ns", Value: 20}}}, 0, 0, false},
	} {
		if after, alone, ok := c.trial.walks(); after != c.after || alone != c.alone || ok != c.ok {
			t.Errorf("%s: %v, %v, %v, want %v, %v, %v", name, after, alone, ok, c.after, c.alone, c.ok)
		}
	}
}

// The parts of a creation are told as they are on average, and forms that did not run
// are not.
func TestPartsOfCreation(t *testing.T) {
	trial := func(variant string, mode Mode, call, wait, resident int64) Trial {
		return Trial{
			Workload: "spawn", Variant: variant, Mode: mode, Round: 1, DurationNS: call + wait, Operations: 10, Workers: make([]Worker, 1), Created: &Created{},
			Figures: []Figure{{Name: "create_call_ns", Value: call}, {Name: "join_wait_ns", Value: wait}, {Name: "parent_resident_bytes", Value: resident}},
		}
	}
	r := &Report{Setup: Setup{Modes: []Mode{Processes, Threads}}, Trials: []Trial{
		trial("", Processes, 1_000_000, 500_000, 20<<20), trial("", Threads, 100_000, 50_000, 20<<20),
	}}
	said := func() string { e := &evidence{report: r}; return e.otherCreations() }
	want := ""
	if got := said(); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	r.Trials = append(r.Trials, trial("vfork", Processes, 400_000, 100_000, 1), trial("exec libc", Processes, 2_000_000, 1_000_000, 1),
		trial("parent + 64 MiB", Processes, 9_000_000, 1_000_000, 84<<20))
	want += "; the same by vfork, 50.0 µs; a fork that executes a program with a C library, 300 µs" +
		"; the parent has 20.0 MiB of memory, and with 84.0 MiB a fork takes 1.00 ms"
	if got := said(); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for i := range r.Trials { // as earlier versions have it
		r.Trials[i].Figures = nil
	}
	if got := said(); strings.Contains(got, "call that") || strings.Contains(got, "memory") || strings.Contains(got, fmt.Sprint(Quantity{})) {
		t.Errorf("without figures it says %q", got)
	}
}
