package live_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/view/live"
)

// explained returns a model of a report's last interval that says why tasks were off their cores.
func explained(r *report.Report) *live.Model {
	m := live.New(nil)
	m.Explain(func() ([]report.Stack, []report.Frame) { return r.Stacks, r.Frames })
	for i := range r.Trials {
		m.Add(&r.Trials[i])
	}
	m.Update()
	return m
}

// reasons writes the reasons of a key: the title of each list, and its rows' texts and innermost functions.
func reasons(m *live.Model, k live.Key) (said []string) {
	for _, list := range m.Detail(k).Reasons {
		said = append(said, list.Title)
		for _, row := range list.Rows {
			line := row.Share.String() + " " + row.Time.String() + " " + row.Text
			for _, functions := range [][]string{row.Kernel, row.Program} {
				if len(functions) > 0 {
					line += "; " + functions[0] + " to " + functions[len(functions)-1]
				}
			}
			said = append(said, line)
		}
	}
	return said
}

// Each key has the stacks and partners of its own tasks, and of no other.
func TestReasonsAreOfTheirKey(t *testing.T) {
	r := reporttest.Stacks()
	r.Trials = r.Trials[:1]
	m := explained(r)
	all := []string{
		"asleep, by stacks",
		"77.9 % 1.41 s postgres woken by nginx; ep_poll to __x64_sys_epoll_wait; epoll_wait to main",
		"22.1 % 400 ms postgres woken by an interrupt; folio_wait_bit_common to ksys_pread64; pread64 to PostgresMain",
		"runnable without a core, by stacks",
		"70.0 % 7.00 ms postgres woken by nginx; ep_poll to __x64_sys_epoll_wait; epoll_wait to main",
		"30.0 % 3.00 ms postgres woken by an interrupt; folio_wait_bit_common to ksys_pread64; pread64 to PostgresMain",
		"who took its core", "100 % 4.00 ms kworker/1:2 [91]",
		"who woke it", "87.5 % 7.00 ms nginx [1003]", "12.5 % 2.00 ms an interrupt",
	}
	for _, k := range []live.Key{
		{By: live.ByTask, PID: 1000, TID: 1000}, {By: live.ByProcess, PID: 1000},
		{By: live.ByProgram, Name: "postgres"},
	} {
		if diff := cmp.Diff(all, reasons(m, k)); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", k, diff)
		}
	}
	if got := reasons(m, live.Key{By: live.ByProcess, PID: 1003}); len(got) != 4 || got[0] != "who took its core" {
		t.Errorf("another process: %q", got)
	}
	r.Trials[0].Why.Waits = nil
	r.Trials[0].Why.Pairs = nil
	if got := reasons(explained(r), live.Key{By: live.ByProcess, PID: 1000}); len(got) > 0 {
		t.Errorf("without stacks and pairs: %q", got)
	}
}

// What all stacks have at their outer end is left out, long lists are cut and say so, and so are long names.
func TestReasonsShowWhatDiffers(t *testing.T) {
	r := reporttest.Stacks()
	r.Trials = r.Trials[:1]
	why := r.Trials[0].Why
	first := len(r.Frames)
	r.Frames = append(r.Frames, report.Frame{Function: "main"}, report.Frame{Function: "serve"})
	const stacks = 8
	why.Waits = nil
	for i := range stacks {
		r.Frames = append(r.Frames, report.Frame{Function: strings.Repeat("漢", 1000) + string(rune('a'+i))})
		r.Stacks = append(r.Stacks, report.Stack{first + 2 + i, first + 1, first})
		why.Waits = append(why.Waits, report.StackWait{
			PID: 1000, Comm: "x", Process: "postgres", State: report.Sleeping,
			Stack: len(r.Stacks) - 1, Samples: 1, Times: 1, BlockedNS: int64(i + 1),
		})
	}
	list := explained(r).Detail(live.Key{By: live.ByProcess, PID: 1000}).Reasons[0]
	if len(list.Rows) != 5 || list.More != stacks-5 || list.Rows[0].Time.Value != stacks {
		t.Fatalf("%d rows and %d more: %+v", len(list.Rows), list.More, list)
	}
	if got := list.Rows[0].Program; len(got) != 1 || len([]rune(got[0])) != 80 {
		t.Errorf("a row has %q", got)
	}
}

// A model that was not asked says nothing, whatever an interval has.
func TestReasonsAreAskedFor(t *testing.T) {
	r := reporttest.Stacks()
	m := live.New(nil)
	m.Add(&r.Trials[0])
	m.Update()
	if got := reasons(m, live.Key{By: live.ByProcess, PID: 1000}); len(got) > 0 || m.Explains() {
		t.Errorf("it says %q", got)
	}
}
