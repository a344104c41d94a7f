package report

import (
	"fmt"

	"github.com/slicetrace/slicetrace/report/histogram"
)

// Created describes the tasks that a trial's workers created and that ended within the trial.
// The eBPF programs count them as they end, so they have no rows of their own. The phases of their
// lives are between events of the kernel.
type Created struct {
	Tasks uint64 `json:"tasks"`
	// Reconciled of Tasks have switch counts equal to the kernel's.
	Reconciled uint64 `json:"reconciled"`
	// OnCPUNS and WaitNS are sums over the tasks.
	OnCPUNS int64 `json:"on_cpu_ns"`
	WaitNS  int64 `json:"wait_ns"`
	// ThrottledNS is the time in which CPU quotas kept them from running.
	ThrottledNS int64 `json:"throttled_ns,omitempty"`
	// Start is from sched_process_fork to the first switch-in, Run from there to
	// sched_process_exit, and End from there to the last switch.
	Start histogram.Histogram `json:"start"`
	Run   histogram.Histogram `json:"run"`
	End   histogram.Histogram `json:"end"`
}

// Add adds the counts of o.
func (c *Created) Add(o Created) {
	c.Tasks += o.Tasks
	c.Reconciled += o.Reconciled
	c.OnCPUNS += o.OnCPUNS
	c.WaitNS += o.WaitNS
	c.ThrottledNS += o.ThrottledNS
	c.Start.Merge(o.Start)
	c.Run.Merge(o.Run)
	c.End.Merge(o.End)
}

func (c *Created) validate() error {
	if c == nil {
		return nil
	}
	if min(c.OnCPUNS, c.WaitNS, c.ThrottledNS) < 0 {
		return fmt.Errorf("created tasks: a negative time")
	}
	if c.Reconciled > c.Tasks {
		return fmt.Errorf("created tasks: %d of %d agree with the kernel", c.Reconciled, c.Tasks)
	}
	for _, h := range []histogram.Histogram{c.Start, c.Run, c.End} {
		if err := h.Validate(); err != nil {
			return fmt.Errorf("created tasks: %w", err)
		}
	}
	return nil
}
