package findings

import (
	"fmt"
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/report"
)

// The parts of a creation are averages. Variants that did not run are not mentioned.
func TestPartsOfCreation(t *testing.T) {
	trial := func(variant string, mode report.Mode, call, wait, resident int64) report.Trial {
		return report.Trial{
			Workload: "spawn", Variant: variant, Mode: mode, Round: 1, DurationNS: call + wait, Operations: 10,
			Workers: make([]report.Worker, 1), Created: &report.Created{},
			Figures: []report.Figure{
				{Name: "create_call_ns", Value: call}, {Name: "join_wait_ns", Value: wait},
				{Name: "parent_resident_bytes", Value: resident},
			},
		}
	}
	r := &report.Report{
		Setup: report.Setup{Modes: []report.Mode{report.Processes, report.Threads}},
		Trials: []report.Trial{
			trial("", report.Processes, 1_000_000, 500_000, 20<<20),
			trial("", report.Threads, 100_000, 50_000, 20<<20),
		},
	}
	said := func() string { e := &evidence{report: r}; return e.otherCreations() }
	want := ""
	if got := said(); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	r.Trials = append(r.Trials,
		trial("vfork", report.Processes, 400_000, 100_000, 1),
		trial("exec libc", report.Processes, 2_000_000, 1_000_000, 1),
		trial("parent + 64 MiB", report.Processes, 9_000_000, 1_000_000, 84<<20))
	want += "; the same by vfork, 50.0 µs; a fork that executes a program with a C library, 300 µs" +
		"; the parent has 20.0 MiB of memory, and with 84.0 MiB a fork takes 1.00 ms"
	if got := said(); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for i := range r.Trials { // as earlier versions have it
		r.Trials[i].Figures = nil
	}
	if got := said(); strings.Contains(got, "call that") || strings.Contains(got, "memory") ||
		strings.Contains(got, fmt.Sprint(report.Quantity{})) {
		t.Errorf("without figures it says %q", got)
	}
}
