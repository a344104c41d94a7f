package view_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/findings"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/view"
)

// costing gives a trial 40 switches of its mode that cost so much, and slices of 15 ns.
func costing(t *report.Trial, ns uint64) {
	class := report.ClassThread
	if t.Mode == report.Processes {
		class = report.ClassProcess
	}
	t.Cores = []report.Core{{WallNS: 1e9, Classes: []report.ClassStats{{
		Class: class, Switches: 40, Pick: reporttest.HistogramOf(40, 1),
		Switch: reporttest.HistogramOf(40, ns-1), Cost: reporttest.HistogramOf(40, ns),
	}}, Slices: []report.SliceStats{{EndedBy: report.EndedByTick, Length: reporttest.HistogramOf(40, 15)}}}}
}

// priced returns a report of six rounds whose figures can be worked out by hand.
func priced() *report.Report {
	r := &report.Report{Setup: report.Setup{Rounds: 6}}
	floor := int64(4)
	r.Quality.ProbeFloorNS = &floor
	// Hot, processes cost 8, 8, 10, 10, 12 and 12 ns more than threads, and 15 ns more after a slice.
	hot := []uint64{20, 20, 22, 22, 24, 24}
	for round := 1; round <= 6; round++ {
		for _, mode := range []report.Mode{report.Processes, report.Threads} {
			add := func(workload, variant string, inProcesses, inThreads int64) *report.Trial {
				t := report.Trial{Workload: workload, Variant: variant, Mode: mode, Round: round, DurationNS: 1e9}
				t.Workers = make([]report.Worker, 1)
				if t.Operations = inThreads; mode == report.Processes {
					t.Operations = inProcesses
				}
				r.Trials = append(r.Trials, t)
				return &r.Trials[len(r.Trials)-1]
			}
			pipe, late := uint64(12), uint64(15)
			if mode == report.Processes {
				pipe, late = hot[round-1], 30
			}
			costing(add("pipe", "", 123_456, 246_912), pipe)
			costing(add("spin", "one core", 10, 10), late)
			add("spin", "", 7000, 7000)
			add("messaging", "", 500, 1000)
			add("spawn", "", 1000, 10_000).Created = &report.Created{Tasks: 1}
			one, three := add("scale", "1", 1, 1), add("scale", "3", 1, 1)
			three.Workers = make([]report.Worker, 3)
			one.Memory, three.Memory = &report.Memory{PSSBytes: 3 << 20}, &report.Memory{PSSBytes: 7 << 20}
			if mode == report.Threads {
				three.Memory.PSSBytes = 3<<20 + 512<<10
			}
			crash := add("crash", "", 1, 1)
			crash.Workers = make([]report.Worker, 4)
			for i := range crash.Workers {
				crash.Workers[i].Exited = i == 0 || mode == report.Threads
			}
		}
	}
	return r
}

// texts returns the cells of the only section's rows as they are shown, joined by |.
func texts(s *view.Summary) []string {
	var out []string
	for _, g := range s.Sections[0].Groups {
		for _, row := range g.Rows {
			cells := make([]string, len(row))
			for i, c := range row {
				if cells[i] = strings.TrimSpace(c.Text); c.Text == "" {
					cells[i] = c.Value.String()
				}
			}
			out = append(out, strings.Join(cells, "|"))
		}
	}
	return out
}

// The floor is 4 ns a phase, so 8 ns a switch.
func TestFirstScreenHasTheFiguresWorkedOutByHand(t *testing.T) {
	s := view.FirstScreen(priced())
	want := []string{
		// The middle of the averages of 20, 20, 22, 22, 24 and 24 by pairs is that of 20 and 24: √480 ÷ 12.
		// Without the floor it is √(12 × 16) ÷ 4.
		"switch, hot (pipe)|22 ns|12 ns|1.83|3.46",
		"switch after a 15 ns slice|30 ns|15 ns|2.00|3.14", // 22 ÷ 7
		"creating and joining one|1.00 ms|100 µs|10.0|",
		"memory of one more Go worker|2.00 MiB|256 KiB|8.00|", // (7 - 3) ÷ 2 and 0.5 ÷ 2 MiB
		"hand-offs by pipe|123 000/s|247 000/s|0.500|",
		"messages, many to many|500/s|1 000/s|0.500|",
		"computing, cores shared|7 000/s|7 000/s|~|",
		"surviving another's crash|100 %|0 %||",
	}
	if diff := cmp.Diff(want, texts(s)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	// 10 ns × 1 000 a second are 10 µs a second, 0.001 %.
	notes := []string{"A switch of processes costs 10 ns more than one of threads " +
		"(8 ns to 12 ns; after a slice 15 ns): 0.00100 % of a core at 1 000 switches " +
		"a second, 0.0100 % at 10 000, 0.0500 % at 50 000."}
	if diff := cmp.Diff(notes, s.Sections[0].Notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

// notesOf returns the first screen's notes in one text.
func notesOf(r *report.Report) string {
	return strings.Join(view.FirstScreen(r).Sections[0].Notes, "\n")
}

func TestFirstScreenSaysWhatIsNotKnown(t *testing.T) {
	only := func(keep func(*report.Trial) bool) *report.Report {
		r, all := priced(), []report.Trial{}
		for i := range r.Trials {
			if keep(&r.Trials[i]) {
				all = append(all, r.Trials[i])
			}
		}
		r.Trials = all
		return r
	}
	costs := func(of func(*report.Trial) uint64) *report.Report {
		r := priced()
		for i := range r.Trials {
			if t := &r.Trials[i]; t.Workload == "pipe" {
				costing(t, of(t))
			}
		}
		return r
	}
	noSlice := priced()
	for i := range noSlice.Trials {
		if noSlice.Trials[i].Workload == "spin" {
			noSlice.Trials[i].Cores = nil
		}
	}
	for name, c := range map[string]struct {
		r    *report.Report
		want string
	}{
		"one workload": {only(func(t *report.Trial) bool { return t.Workload == "pipe" }),
			"Not measured: the switch after a time slice, creating, memory, messages, computing, crashes " +
				"(slicetrace run spin spawn scale messaging crash)."},
		"no hand-offs": {only(func(t *report.Trial) bool { return t.Workload != "pipe" && t.Workload != "messaging" }),
			"Not measured: the switch, hand-offs, messages (slicetrace run pipe messaging)."},
		"one mode": {only(func(t *report.Trial) bool { return t.Mode == report.Threads }),
			"Only threads ran: leave out --mode to compare."},
		"few rounds": {only(func(t *report.Trial) bool { return t.Round < 3 }),
			"A switch of processes costs 8 ns more than one of threads (after a slice 15 ns): 0.000800 %"},
		"ran without figures": {noSlice, "No figures: the switch after a time slice."},
		"processes cost less": {costs(func(t *report.Trial) uint64 {
			if t.Mode == report.Processes {
				return 10
			}
			return 12
		}), "A switch of processes costs 2 ns less than one of threads (-2 ns to -2 ns): no rate of switches"},
		"no difference": {costs(func(t *report.Trial) uint64 {
			if t.Mode == report.Processes {
				return 15 + uint64(t.Round)%2*6 // 3 ns less or more
			}
			return 18
		}), "The rounds show no difference between a switch of processes and one of threads (-3 ns to 3 ns): " +
			"at most 0.000300 % of a core"},
	} {
		if got := notesOf(c.r); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q is not in:\n%s", name, c.want, got)
		}
	}
}

func TestFirstScreenNamesClaimsThatDoNotHold(t *testing.T) {
	r := priced()
	for _, c := range findings.Claims() {
		r.Findings = append(r.Findings, report.Finding{Claim: c.ID, Verdict: report.Supported})
	}
	want := "Of the textbook's 17 claims measured here, all hold."
	if got := notesOf(r); !strings.Contains(got, want) {
		t.Errorf("%q is not in:\n%s", want, got)
	}
	r.Findings[13].Verdict, r.Findings[7].Verdict = report.Contradicted, report.Inconclusive
	r.Findings[0].Verdict = report.NotMeasured
	want = "Of the textbook's 16 claims measured here, 14 hold; contradicted: C14 Fair shares; " +
		"undecided: C8 The right choice; 1 not measured."
	if got := notesOf(r); !strings.Contains(got, want) {
		t.Errorf("%q is not in:\n%s", want, got)
	}
}

// The word after the time says whether the figures can be used. Long texts are cut.
func TestFirstScreenSaysWhetherTheReportIsClean(t *testing.T) {
	r := reporttest.Bundled(6, 2)
	r.Warnings = []string{strings.Repeat("long ", 100), "another"}
	s := view.FirstScreen(r)
	if got := s.Subject[len(s.Subject)-1].Label; got != "clean" || s.Alert != "" {
		t.Errorf("a clean report is %q, alert %q", got, s.Alert)
	}
	if len(s.Warnings) != 1 || len(s.Warnings[0]) > 200 || !strings.HasSuffix(s.Warnings[0], "… (and 1 more: -v)") {
		t.Errorf("warnings are %q", s.Warnings)
	}
	s = view.FirstScreen(reporttest.Dirty(r))
	if got := s.Subject[len(s.Subject)-1].Label; got != "not clean" || len(s.Warnings) > 0 ||
		!strings.HasPrefix(s.Alert, "Not clean: switches without their pick phase: 12 (and ") {
		t.Errorf("a dirty report is %q, alert %q, warnings %q", got, s.Alert, s.Warnings)
	}
}
