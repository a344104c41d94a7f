package collector

import (
	"testing"

	"github.com/slicetrace/slicetrace/bpf"
)

// The users of a hook are named as far as the kernel tells.
func TestNamesOfTracers(t *testing.T) {
	own := ownNames{7: "st_switch"}
	var list tracers
	for _, c := range []struct {
		callback bpf.Callback
		hook     string
	}{
		{bpf.Callback{Function: "perf_trace_sched_switch"}, "sched_switch"},
		{bpf.Callback{Function: "perf_trace_sched_wakeup"}, "sched_wakeup"},
		{bpf.Callback{Function: "trace_event_raw_event_sched_swi"}, "sched_switch"},
		{bpf.Callback{Function: "probe_sched_switch"}, "sched_switch"},
		{bpf.Callback{Function: "__bpf_trace_sched_switch", Program: 8, Name: "st_switch"}, "sched_switch"},
		{bpf.Callback{Function: "__bpf_trace_sched_switch", Program: 9, Name: "st_switch"}, "sched_switch"},
		{bpf.Callback{Function: "__bpf_trace_sched_switch", Program: 10, Name: "tp\x1b[2J"}, "sched_switch"},
	} {
		list.add(tracerName(c.callback, own), c.hook)
	}
	const want = `perf events on sched_switch, sched_wakeup; tracefs on sched_switch; ` +
		`kernel function probe_sched_switch on sched_switch; ` +
		`another slicetrace ×2; eBPF program "tp\x1b[2J" on sched_switch`
	if got := list.String(); got != want {
		t.Errorf("tracers are\n%s\nwant\n%s", got, want)
	}
	if got := (&tracers{}).String(); got != "none" {
		t.Errorf("no tracers are %q", got)
	}
}
