package collector

import (
	"slices"
	"testing"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/report"
)

// The whole absence of a task that was runnable was a wait, although the wait is measured apart and may be
// shorter by a little.
func TestRunnableTasksAreNeverAsleep(t *testing.T) {
	for cause, want := range map[report.EndedBy]report.StackWait{
		report.EndedByBlocked:   {BlockedNS: 20, WaitNS: 180},
		report.EndedByTick:      {WaitNS: 200},
		report.EndedByThrottled: {ThrottledNS: 200},
	} {
		want.Samples, want.Times, want.LongestNS = 1, 2, 100
		var sum report.StackWait
		addSample(&sum, &bpf.StackSample{
			Away: 100, Waited: 90, StandsFor: 200, Cause: uint8(slices.Index(report.Causes(), cause)),
		})
		if sum != want {
			t.Errorf("%s: %+v, want %+v", cause, sum, want)
		}
	}
}
