package collector

import (
	"strings"
	"testing"
	"time"

	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/report"
)

// A group that its quota stops for several intervals has no task that does anything in them, and is shown
// nevertheless: each of its throttlings is in one interval.
func TestLiveShowsGroupsThatTheirQuotaStops(t *testing.T) {
	group := bpftest.NewGroup(t, "cpu")
	group.LimitTime(t, 2*time.Millisecond, 200*time.Millisecond)
	l := openLive(t, LiveOptions{})
	group.StartLoop(t)
	described := func() *report.Group {
		if err := l.Refresh(); err != nil { // the shell moved to the group after it had been seen
			t.Fatal(err)
		}
		r := nextReading(t, l)
		l.DescribeGroups(&r.System, nil)
		for i := range r.System.Groups {
			if g := &r.System.Groups[i]; strings.Contains(g.Path, "slicetrace-test-") {
				return g
			}
		}
		return nil
	}
	for start := time.Now(); described() == nil; time.Sleep(10 * time.Millisecond) {
		if time.Since(start) > time.Minute {
			t.Fatal("the group is never shown")
		}
	}
	before := group.Throttled(t)
	described()
	var shown report.Throttling
	stopped := 0 // intervals in which no task of the group did anything
	for range 60 {
		time.Sleep(20 * time.Millisecond)
		g := described()
		if g == nil || g.Throttling == nil {
			stopped++
			continue
		}
		shown.Times += g.Throttling.Times
		shown.NS += g.Throttling.NS
	}
	// One can fall between the readings, at either end.
	if kernel := group.Throttled(t) - before; kernel < 3 || shown.Times+1 < kernel || shown.Times > kernel+1 {
		t.Errorf("%d throttlings are shown, the kernel counted %d", shown.Times, kernel)
	}
	if stopped < 10 {
		t.Errorf("the group did something in all but %d intervals", stopped)
	}
	if mean := time.Duration(shown.NS / int64(max(1, shown.Times))); mean < 50*time.Millisecond {
		t.Errorf("it was stopped for %v each time", mean)
	}
}
