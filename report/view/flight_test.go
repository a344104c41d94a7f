package view

import (
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/report"
)

func TestFlightDigest(t *testing.T) {
	r := &report.Recording{
		KeepNS: 5e9, When: []string{"wait>20ms", "SIGUSR1"}, ToolCPUNS: 1e8, WallNS: 1e10,
		Switches: 900, Counted: 901, Bytes: 4096,
	}
	check := func(want ...string) {
		t.Helper()
		got := recordingDigest(r, 2)
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%q does not say %q", got, w)
			}
		}
	}
	check("kept 5.00 s, to be saved when wait>20ms, SIGUSR1. Nothing was saved.", "used 0.5 % of core time")
	r.Windows = []report.RecordedWindow{
		{Condition: "wait>20ms", TID: 7, Comm: "server", AtNS: 2e9, LengthNS: 31e6, SpanNS: 1e9, Short: true, More: 2},
		{Condition: "SIGUSR1", AtNS: 3e9, SpanNS: 5e9},
	}
	check("Saved: 2 recordings, with 900 of 901 switches",
		" 1: wait of 31.0 ms, of server (7), 2.00 s into the recording, and 2 more; "+
			"the bound on memory left only 1.00 s.",
		" 2: SIGUSR1, 3.00 s into the recording.")
	for range 9 {
		r.Windows = append(r.Windows, r.Windows[1])
	}
	check(" 5: SIGUSR1", "And 6 more, in the report's JSON.")
}
