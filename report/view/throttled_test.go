package view_test

import (
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/view"
)

// The effect of a quota is described with its workloads, and is not part of a wait.
func TestThrottledIsSaid(t *testing.T) {
	throttled := func(workload string, mode report.Mode, times uint64, ns int64) report.Trial {
		return report.Trial{
			Workload: workload, Mode: mode, DurationNS: 1e9,
			Workers: []report.Worker{
				{OnCPUNS: 2e8, WaitNS: 1e8, EndedBy: report.CauseCounts{Throttled: times}, ThrottledNS: ns},
			},
		}
	}
	created := throttled("spawn", report.Processes, 0, 0)
	created.Created = &report.Created{Tasks: 3, ThrottledNS: 5e8}
	for name, c := range map[string]struct {
		trials []report.Trial
		want   string
	}{
		"none": {[]report.Trial{throttled("spin", report.Threads, 0, 0)}, ""},
		"a program": {
			[]report.Trial{throttled("make", report.Command, 40, 32e8)},
			"throttled tasks of the program 40 times and kept them from running for 3.20 s",
		},
		"a workload": {
			[]report.Trial{throttled("spin", report.Threads, 1, 5e8), throttled("spin", report.Processes, 1, 5e8)},
			"tasks of spin 2 times and kept them from running for 1.00 s",
		},
		"one of two": {
			[]report.Trial{throttled("pipe", report.Threads, 0, 0), throttled("spin", report.Threads, 2, 5e8)},
			"tasks of spin 2 times",
		},
		"of children": {[]report.Trial{created}, "tasks of spawn 0 times and kept them from running for 500 ms"},
	} {
		r := &report.Report{Schema: report.SchemaVersion, Trials: c.trials}
		var said string
		for _, s := range view.Summarize(r).Sections {
			for _, note := range s.Notes {
				if strings.Contains(note, "quota") {
					said += note
				}
			}
		}
		if !strings.Contains(said, c.want) || c.want == "" && said != "" {
			t.Errorf("%s: the report says %q, want %q", name, said, c.want)
		}
		if got, ok := c.trials[0].Concurrency(); c.trials[0].Created == nil && (!ok || got < 0.29 || got > 0.31) {
			t.Errorf("%s: concurrency %v, want that of on-CPU time and waits", name, got)
		}
	}
}
