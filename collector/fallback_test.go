package collector_test

import (
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/report/histogram"
)

// Without the newer tracepoints phases are absent, not zero, and all other figures are as exact
// as with them.
func TestAbsentPhases(t *testing.T) {
	c := open(t, collector.Options{NoPick: true, Avoid: bpf.PhaseTracepoints})
	capture, err := c.Capture()
	if err != nil {
		t.Fatal(err)
	}
	if capture.Pick != "" || len(capture.Notes) == 0 {
		t.Errorf("capture %+v", capture)
	}
	for _, tr := range runPlan(t, c, plan(t, "pipe")) {
		if bpftest.Emulated() && strings.HasPrefix(capture.Switch, "kprobe:") { // also under lazy preemption
			tr.interval.Lost = withoutMissed(tr.interval.Lost)
		}
		checkExact(t, tr)
		checkAddsUp(t, tr.name(), tr.interval.Cores)
		for _, core := range tr.interval.Cores {
			for _, class := range core.Classes {
				if class.Pick.Count != 0 || class.Cost.Count != 0 {
					t.Errorf("%s: core %d: %s has a pick phase", tr.name(), core.CPU, class.Class)
				}
				if capture.Switch == "" && class.Switch.Count != 0 {
					t.Errorf("%s: core %d: %s has a switch phase", tr.name(), core.CPU, class.Class)
				}
			}
		}
	}
}

// A histogram's sum is counted apart from its buckets and must be within their bounds: the
// kernel side's buckets are those of package histogram.
func TestBucketsAgreeWithSums(t *testing.T) {
	c := open(t, collector.Options{})
	check := func(name string, h histogram.Histogram) {
		if err := h.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var low, high uint64
		for bucket, n := range h.Buckets() {
			from, to := histogram.BucketBounds(bucket)
			low += from * n
			high += (to - 1) * n
		}
		// The last bucket of a phase holds all above 8 ms.
		if h.MaxNS > 8<<20 {
			high += h.Count * h.MaxNS
		}
		if h.SumNS < low || h.SumNS > high {
			t.Errorf("%s: sum %d is outside its buckets' %d to %d", name, h.SumNS, low, high)
		}
	}
	for _, load := range []string{"pipe", "spin"} {
		for _, tr := range runPlan(t, c, plan(t, load)) {
			for _, core := range tr.interval.Cores {
				check("wait", core.Wait)
				for _, class := range core.Classes {
					check("pick", class.Pick)
					check("switch", class.Switch)
					check("cost", class.Cost)
				}
				for _, slices := range core.Slices {
					check("slices", slices.Length)
				}
			}
		}
	}
}
