package collector_test

import (
	"testing"

	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/workloads"
)

// Each return of a watched task to a core is looked at once, whether its stack is taken or not, what stacks take is in
// no slice, and the switches still equal the kernel's.
func TestStacksOfWatchedTasks(t *testing.T) {
	c := open(t, collector.Options{Why: &collector.WhyOptions{}})
	p := plan(t, "pipe")
	p.Operations, p.Workers, p.CPUs = 3000, 2, []workloads.CPU{0}
	for _, tr := range runPlan(t, c, p) {
		checkExact(t, tr)
		var slices uint64
		for _, task := range tr.interval.Tasks {
			slices += task.Slices
		}
		why := tr.interval.Why
		if looked, most := why.Taken+why.Skipped, slices+uint64(len(tr.interval.Tasks)); looked > most ||
			looked+uint64(len(tr.interval.Tasks)) < slices {
			t.Errorf("%s: %d returns to a core were looked at, %d slices ended", tr.name(), looked, slices)
		}
		if why.Skipped == 0 || why.Taken == 0 {
			t.Errorf("%s: %d stacks were taken and %d skipped of some 6000", tr.name(), why.Taken, why.Skipped)
		}
		var samples uint64
		var times float64
		for _, w := range why.Waits {
			samples, times = samples+w.Samples, times+w.Times
		}
		if samples+why.Lost != why.Taken || times < float64(samples) {
			t.Errorf("%s: sums have %d samples for %.0f times, %d were taken", tr.name(), samples, times, why.Taken)
		}
		for _, core := range tr.interval.Cores {
			if core.Total() != core.WallNS {
				t.Errorf("%s: core %d has %d ns of %d", tr.name(), core.CPU, core.Total(), core.WallNS)
			}
		}
	}
}
