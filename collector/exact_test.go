package collector_test

import (
	"testing"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/collector/hostinfo"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/workloads"
)

// checkExact compares every worker's switches with the kernel's own counters.
func checkExact(t *testing.T, tr traced) {
	t.Helper()
	for _, w := range tr.result.Workers {
		got, ok := tr.tasks[w.TID]
		if !ok {
			t.Errorf("%s: worker %d was not seen", tr.name(), w.Index)
			continue
		}
		if want := w.After.Voluntary - w.Before.Voluntary; got.Voluntary != want {
			t.Errorf("%s: worker %d: %d voluntary switches, the kernel counts %d",
				tr.name(), w.Index, got.Voluntary, want)
		}
		if want := w.After.Involuntary - w.Before.Involuntary; got.Involuntary != want {
			t.Errorf("%s: worker %d: %d involuntary switches, the kernel counts %d",
				tr.name(), w.Index, got.Involuntary, want)
		}
	}
	if lost := withoutSkipped(tr.interval.Lost); lost.Total() != 0 {
		t.Errorf("%s: lost %+v", tr.name(), lost)
	}
}

// withoutSkipped leaves out what a kprobe misses in slow guests under PREEMPT_RT,
// whose kernel is preempted anywhere.
func withoutSkipped(lost report.Lost) report.Lost {
	if bpftest.Emulated() && hostinfo.Fingerprint().Preemption == "rt" {
		return withoutMissed(lost)
	}
	return lost
}

// withoutMissed leaves out the few switch phases that a kprobe misses where tasks
// are preempted in system calls on maps, which the collector makes between
// snapshots: the kernel skips a kprobe's program on that core until then
// (bpf_prog_active). The switches are counted, and their phases as unmatched.
func withoutMissed(lost report.Lost) report.Lost {
	if lost.UnmatchedSwitch < 100 {
		lost.UnmatchedSwitch = 0
	}
	return lost
}

func TestSwitchesEqualTheKernels(t *testing.T) {
	c := open(t, collector.Options{})
	for name, edit := range map[string]func(*workloads.Plan){
		"pipe":                    func(p *workloads.Plan) { p.Rounds = 3 },
		"spin on all cores":       func(p *workloads.Plan) { p.Rounds = 2 },
		"pipe, 64 workers a core": func(p *workloads.Plan) { p.Workers, p.CPUs = 64, []workloads.CPU{0} },
		"spin, 64 workers a core": func(p *workloads.Plan) { p.Workers, p.CPUs = 64, []workloads.CPU{0} },
		"pipe, 23 round trips":    func(p *workloads.Plan) { p.Operations = 23 },
	} {
		t.Run(name, func(t *testing.T) {
			p := plan(t, name[:4])
			edit(&p)
			for _, tr := range runPlan(t, c, p) {
				checkExact(t, tr)
			}
		})
	}
	// From core to core, which the others do for a time, as many would take most of a minute.
	t.Run("pipe, 10 007 round trips", func(t *testing.T) {
		p := plan(t, "pipe")
		p.Operations = 10007
		for _, tr := range runVariants(t, c, p, "") {
			checkExact(t, tr)
		}
	})
	if misses, err := c.RecursionMisses(); err != nil || misses != 0 {
		t.Errorf("%d recursion misses, %v", misses, err)
	}
}

// One round trip is a switch of each worker of the pair, and the gate at the end is one more.
// A preempted worker may find its token when it runs again, and not block: then it has an
// involuntary switch instead. A kernel that is preempted anywhere can take the core from a worker
// that holds the pipe's lock; then the other worker blocks once more, for the lock. Under
// PREEMPT_RT a task that waits for such a lock always blocks for it.
func TestKnownAnswers(t *testing.T) {
	c := open(t, collector.Options{})
	locksSleep := hostinfo.Fingerprint().Preemption == "rt"
	for _, n := range []int64{23, 10007} {
		p := plan(t, "pipe")
		p.Operations, p.Workers, p.CPUs = n, 2, []workloads.CPU{0}
		for _, tr := range runPlan(t, c, p) {
			checkExact(t, tr)
			var operations int64
			var preempted uint64
			for _, w := range tr.result.Workers {
				preempted += tr.tasks[w.TID].Involuntary
			}
			for _, w := range tr.result.Workers {
				operations += w.Operations
				got := tr.tasks[w.TID]
				want := uint64(n) + 1
				if got.Voluntary > want+preempted && !locksSleep || got.Voluntary+got.Involuntary < want {
					t.Errorf("%s: %d round trips: worker %d has %d voluntary and %d involuntary switches, want %d",
						tr.name(), n, w.Index, got.Voluntary, got.Involuntary, want)
				}
			}
			if operations != n {
				t.Errorf("%s: %d operations, want %d", tr.name(), operations, n)
			}
		}
	}
}
