package metric_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

// kernelAndUser is a report with one frame for each name; those after "|" are of the program.
func kernelAndUser(names ...string) *report.Report {
	r := &report.Report{Stacks: []report.Stack{{}}}
	kernel := true
	for _, name := range names {
		if name == "|" {
			kernel = false
			continue
		}
		r.Stacks[0] = append(r.Stacks[0], len(r.Frames))
		r.Frames = append(r.Frames, report.Frame{Function: name, Kernel: kernel})
	}
	return r
}

func TestOwnFramesLeaveOutWhatAllStacksHave(t *testing.T) {
	for _, c := range []struct{ stack, want []string }{
		{
			[]string{"schedule", "schedule_hrtimeout_range", "ep_poll", "do_epoll_wait", "do_syscall_64",
				"entry_SYSCALL_64_after_hwframe", "|", "epoll_wait", "schedule"},
			[]string{"ep_poll", "do_epoll_wait", "epoll_wait", "schedule"}, // the program's is its own
		},
		{[]string{"schedule_timeout.isra.0", "kswapd", "kthread", "ret_from_fork_asm"}, []string{"kswapd", "kthread"}},
		{[]string{"preempt_schedule_common", "__cond_resched", "shrink", "schedule", "reclaim"},
			[]string{"shrink", "schedule", "reclaim"}}, // only the innermost ones
		{[]string{"exit_to_user_mode_loop", "asm_sysvec_apic_timer_interrupt", "|", "spin"}, []string{"spin"}},
		{[]string{"schedule", "do_syscall_64"}, []string{"schedule", "do_syscall_64"}},
		{nil, nil},
	} {
		r := kernelAndUser(c.stack...)
		var got []string
		for _, f := range metric.OwnFrames(r, r.Stacks[0]) {
			got = append(got, r.Frames[f].Function)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.stack, diff)
		}
	}
}

// Sums over trials lose nothing, whatever order the trials and their stacks are in.
func TestOffCPUIsTheSumOfItsTrials(t *testing.T) {
	if metric.GatherOffCPU(reporttest.Command()) != nil {
		t.Error("a report without stacks has some")
	}
	r := reporttest.Stacks()
	all := metric.GatherOffCPU(r)
	var want, got report.StackWait
	for i := range r.Trials {
		for j := range r.Trials[i].Why.Waits {
			want.Add(&r.Trials[i].Why.Waits[j])
		}
	}
	last := all.Waits[0].OffNS()
	for i := range all.Waits {
		w := &all.Waits[i]
		got.Add(&w.StackWait)
		if w.OffNS() > last {
			t.Errorf("wait %d is longer than the one before", i)
		}
		last = w.OffNS()
	}
	if diff := cmp.Diff(want, got); diff != "" || all.All != want {
		t.Errorf("sums (-trials +waits):\n%s\nall: %+v", diff, all.All)
	}
	if all.Trials != 2 || all.Taken == 0 || all.WalkNS == 0 || all.WallNS == 0 {
		t.Errorf("counts are %+v", all.Why)
	}
	if len(all.Waits) >= len(r.Trials[0].Why.Waits)+len(r.Trials[1].Why.Waits) {
		t.Error("nothing of both trials was added up")
	}
	slices.Reverse(r.Trials)
	if again := metric.GatherOffCPU(r); len(again.Waits) != len(all.Waits) || again.All.OffNS() != want.OffNS() {
		t.Errorf("in the other order there are %d waits, not %d", len(again.Waits), len(all.Waits))
	}
}
