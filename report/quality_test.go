package report_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/view"
)

func TestComputeQualitySumsTrials(t *testing.T) {
	kernel := &report.KernelCounters{Voluntary: 23, Involuntary: 1}
	floor := int64(48)
	r := report.Report{
		Quality: report.Quality{ProbeFloorNS: &floor, RecursionMisses: 2, Switches: 999},
		Trials: []report.Trial{
			{
				Cores: []report.Core{
					{
						WallNS: 1_000_000, IdleNS: 600_000, WorkersNS: 300_000, OthersNS: 90_000, SelfNS: 9_900,
						StealNS: 5, Classes: []report.ClassStats{{Switches: 23}, {Switches: 7}},
					},
					{WallNS: 1_000_000, IdleNS: 1_000_300},
				},
				Workers: []report.Worker{
					{Voluntary: 23, Involuntary: 1, Kernel: kernel}, {Voluntary: 24, Involuntary: 1, Kernel: kernel},
				},
				Lost: report.Lost{UnmatchedPick: 1, UnmatchedSwitch: 2, MapFull: 3, DroppedTasks: 4},
			},
			{
				Cores: []report.Core{
					{WallNS: 1_000_000, WorkersNS: 1_000_000, Classes: []report.ClassStats{{Switches: 10_007}}},
				},
				Workers: []report.Worker{{Merged: 5}},
				Lost:    report.Lost{UnmatchedPick: 10},
				Created: &report.Created{Tasks: 5, Reconciled: 4},
			},
		},
	}
	r.ComputeQuality()
	want := report.Quality{
		Switches: 10_037, RecursionMisses: 2, ProbeFloorNS: &floor,
		Lost:              report.Lost{UnmatchedPick: 11, UnmatchedSwitch: 2, MapFull: 3, DroppedTasks: 4},
		ReconciledWorkers: 1, ComparedWorkers: 2, Workers: 7, CreatedTasks: 5, ReconciledCreated: 4,
		WallNS: 3_000_000, SelfNS: 9_900, StealNS: 5, AccountingErrorPPM: 300,
	}
	if diff := cmp.Diff(want, r.Quality); diff != "" {
		t.Errorf("quality (-want +got):\n%s", diff)
	}
}

func TestALossyRecordingIsNotClean(t *testing.T) {
	for lost, want := range map[uint64]bool{0: true, 3: false} {
		r := reporttest.Bundled(1, 1)
		r.Recording = &report.Recording{Switches: 5, Counted: 5 + lost, Lost: lost}
		clean, reasons := r.Clean()
		if clean != want || !want && !strings.Contains(strings.Join(reasons, ""), "lacks: 3") {
			t.Errorf("with %d events lost the report is clean: %v, %q", lost, clean, reasons)
		}
		if alert := view.Summarize(r).Alert; (alert == "") != want {
			t.Errorf("with %d events lost the alert is %q", lost, alert)
		}
	}
}

func TestClean(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*report.Quality)
		reason string // "" when still clean
	}{
		"nothing wrong":    {func(*report.Quality) {}, ""},
		"pick unmatched":   {func(q *report.Quality) { q.Lost.UnmatchedPick = 1 }, "pick phase: 1"},
		"switch unmatched": {func(q *report.Quality) { q.Lost.UnmatchedSwitch = 2 }, "switch phase: 2"},
		"map full":         {func(q *report.Quality) { q.Lost.MapFull = 3 }, "map was full: 3"},
		"row dropped":      {func(q *report.Quality) { q.Lost.DroppedTasks = 4 }, "row was lost: 4"},
		"room that would do": {
			func(q *report.Quality) { q.Lost.MapFull, q.MostTasks = 177, 1024 },
			"map was full: 177 (give --max-tasks 4096)",
		},
		"a little more": {
			func(q *report.Quality) { q.Lost.DroppedTasks, q.MostTasks = 1, 1 }, "row was lost: 1 (give --max-tasks 4)",
		},
		"as much as there is": {
			func(q *report.Quality) { q.Lost.MapFull, q.MostTasks = 1<<30, 1024 }, "(give --max-tasks 1048576)",
		},
		"without a place": {func(q *report.Quality) { q.Lost.MapFull, q.Lost.UnplacedSlices, q.MostTasks = 3, 40, 64 },
			"tasks without a place, because the task map was full: 3 (give --max-tasks 256), with 40 slices"},
		"slices of ended":     {func(q *report.Quality) { q.Lost.UnplacedSlices = 40 }, "full: 0, with 40 slices"},
		"no more room":        {func(q *report.Quality) { q.Lost.MapFull, q.MostTasks = 7, 1<<20 }, "map was full: 7"},
		"recursion":           {func(q *report.Quality) { q.RecursionMisses = 5 }, "skipped: 5"},
		"worker differs":      {func(q *report.Quality) { q.ReconciledWorkers-- }, "1 of 32 compared"},
		"created differs":     {func(q *report.Quality) { q.CreatedTasks, q.ReconciledCreated = 3, 1 }, "own: 2 of 3"},
		"accounting at limit": {func(q *report.Quality) { q.AccountingErrorPPM = 1000 }, ""},
		"accounting beyond":   {func(q *report.Quality) { q.AccountingErrorPPM = 1001 }, "1001"},
		"on-CPU at limit":     {func(q *report.Quality) { *q.RuntimeErrorPPM = 20_000 }, ""},
		"on-CPU beyond": {
			func(q *report.Quality) { *q.RuntimeErrorPPM = 20_001 }, "sum_exec_runtime allows: 20001",
		},
		"none compared": {func(q *report.Quality) { q.ComparedWorkers, q.ReconciledWorkers = 0, 0 }, ""},
	} {
		r := reporttest.Bundled(2, 2)
		c.change(&r.Quality)
		clean, reasons := r.Quality.Clean()
		if clean != (c.reason == "") || !strings.Contains(strings.Join(reasons, "; "), c.reason) || len(reasons) > 1 {
			t.Errorf("%s: clean %v, reasons %q, want %q", name, clean, reasons, c.reason)
		}
		if alert := view.Summarize(r).Alert; (alert == "") != clean || !strings.Contains(alert, c.reason) {
			t.Errorf("%s: alert is %q", name, alert)
		}
	}
}

func TestDerivedFigures(t *testing.T) {
	trial := report.Trial{
		Mode: report.Threads, DurationNS: 1e9, Operations: 10_007,
		Workers: []report.Worker{
			{OnCPUNS: 5e8, WaitNS: 5e8, WaitMaxNS: 23},
			{OnCPUNS: 1e9, WaitNS: 0, WaitMaxNS: 7},
		},
		Cores: []report.Core{
			{WallNS: 1e9, Classes: []report.ClassStats{{Cost: reporttest.HistogramOf(1, 3e7, 1e7)}}},
			{WallNS: 1e9, Classes: []report.ClassStats{{Cost: reporttest.HistogramOf(1, 6e7)}}},
		},
	}
	check := func(name string, got float64, ok bool, want float64) {
		t.Helper()
		if !ok || math.Abs(got-want) > 1e-9 {
			t.Errorf("%s = %v, %v, want %v", name, got, ok, want)
		}
	}
	got, ok := trial.Parallelism()
	check("parallelism", got, ok, 1.5)
	got, ok = trial.Concurrency()
	check("concurrency", got, ok, 2)
	got, ok = trial.JainIndex() // 1.5² ÷ (2 · 1.25)
	check("Jain index", got, ok, 0.9)
	got, ok = trial.OperationsPerSecond()
	check("operations per second", got, ok, 10_007)
	got, ok = trial.SwitchingShare()
	check("switching share", got, ok, 0.05)
	longest, ok := trial.WaitMaxNS()
	check("longest wait", float64(longest), ok, 23)

	trial.Workers[0].Merged = 2
	if _, ok := trial.JainIndex(); ok {
		t.Error("a row of several tasks has a fairness")
	}
	empty := report.Trial{}
	for name, f := range map[string]func() (float64, bool){
		"parallelism": empty.Parallelism, "concurrency": empty.Concurrency, "Jain index": empty.JainIndex,
		"operations": empty.OperationsPerSecond, "switching share": empty.SwitchingShare,
	} {
		if got, ok := f(); ok {
			t.Errorf("an empty trial has %s %v", name, got)
		}
	}
}

// Workers' time on cores is compared with the kernel's own account in both directions, with the
// allowed differences.
func TestOnCPUTimeAgainstTheKernels(t *testing.T) {
	const s, ms = int64(1e9), int64(1e6)
	for name, c := range map[string]struct {
		worker report.Worker
		core   report.Core
		want   int64
	}{
		"equal": {
			report.Worker{OnCPUNS: s, Kernel: &report.KernelCounters{RuntimeNS: s}}, report.Core{}, 0,
		},
		"a tenth is missing": {
			report.Worker{OnCPUNS: s - 100*ms, Kernel: &report.KernelCounters{RuntimeNS: s}}, report.Core{}, 100_000,
		},
		"it is the tracer's own": {
			report.Worker{OnCPUNS: s - 100*ms, Kernel: &report.KernelCounters{RuntimeNS: s}},
			report.Core{SelfNS: 100 * ms}, 0,
		},
		"it was charged while idle": {
			report.Worker{
				OnCPUNS: s - 10*ms, WaitNS: 10 * ms, EndedBy: report.CauseCounts{Blocked: 1000},
				Kernel: &report.KernelCounters{RuntimeNS: s},
			},
			report.Core{}, 0,
		},
		"it waited for others": {
			report.Worker{
				OnCPUNS: s - 100*ms, WaitNS: s, EndedBy: report.CauseCounts{Blocked: 10, Tick: 90},
				Kernel: &report.KernelCounters{RuntimeNS: s},
			},
			report.Core{}, 99_000,
		},
		"a tenth too much, and a step": {
			report.Worker{OnCPUNS: s + 110*ms, Kernel: &report.KernelCounters{RuntimeNS: s}}, report.Core{}, 100_000,
		},
		"it was stolen": {
			report.Worker{OnCPUNS: s + 110*ms, Kernel: &report.KernelCounters{RuntimeNS: s}},
			report.Core{StealNS: 100 * ms}, 0,
		},
		"it was interrupts'": {
			report.Worker{OnCPUNS: s + 110*ms, Kernel: &report.KernelCounters{RuntimeNS: s}},
			report.Core{InterruptNS: 60 * ms, StealNS: 40 * ms}, 0,
		},
		"twice of what the kernel knows": {
			report.Worker{OnCPUNS: 2*s + 10*ms, Kernel: &report.KernelCounters{RuntimeNS: s}}, report.Core{}, 1_000_000,
		},
	} {
		r := report.Report{Trials: []report.Trial{{Workers: []report.Worker{c.worker}, Cores: []report.Core{c.core}}}}
		r.ComputeQuality()
		if got := r.Quality.RuntimeErrorPPM; got == nil || *got != c.want {
			t.Errorf("%s: the error is %v, want %d", name, got, c.want)
		}
	}
	for name, kernel := range map[string]*report.KernelCounters{"no counters": nil, "no runtime": {RuntimeNS: -1}} {
		r := report.Report{
			Trials: []report.Trial{{Workers: []report.Worker{{OnCPUNS: s, Kernel: kernel}}, Cores: []report.Core{{}}}},
		}
		r.ComputeQuality()
		if got := r.Quality.RuntimeErrorPPM; got != nil {
			t.Errorf("%s: the error is %d, want none", name, *got)
		}
	}
}
