package collector_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/bpf/bpftest"
	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/workloads"
)

// What a phase hook has left when the phases were timed last is no phase of a later switch.
func TestLiveStampsOfAWindowThatIsOver(t *testing.T) {
	l := openLive(t, collector.LiveOptions{Avoid: bpf.PhaseTracepoints | bpf.FentryHooks})
	var stop atomic.Bool
	defer stop.Store(true)
	bpftest.OnOwnThread(bpftest.AllowedCores[workloads.CPU](t)[0], func(error) {
		for !stop.Load() {
		}
	})
	long := 0
	for range 10 {
		if _, err := l.Next(); err != nil {
			t.Fatal(err)
		}
		if err := l.TimePhases(t.Context(), 20*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Next(); err != nil { // has the window's own
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
		r, err := l.Next()
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range r.Cores {
			for _, class := range c.Classes {
				if class.Pick.MaxNS > uint64(500*time.Microsecond) {
					long++
					t.Logf("core %d: %d picks, longest %v", c.CPU, class.Pick.Count, time.Duration(class.Pick.MaxNS))
				}
			}
		}
	}
	if long > 1 { // the last switch of a window is counted after it, and can itself have been long
		t.Errorf("%d picks after the windows are as long as if they had begun within them", long)
	}
}

// With the phases of all switches timed, each switch has both, also after the programs themselves were timed.
func TestLiveTimesThePhasesOfAllSwitches(t *testing.T) {
	l := openLive(t, collector.LiveOptions{})
	capture := l.Capture()
	if capture.Pick == "" || capture.Switch == "" {
		bpftest.Lacks(t, hasTracepoints(t, "sched_exit_tp"), "no hooks bound both phases")
	}
	if err := l.TimeAllPhases(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		runs := l.HookUse().Runs
		if err := l.TimePhases(t.Context(), 10*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		if now := l.HookUse().Runs; now != runs {
			t.Errorf("%d runs that the kernel counted for this watch are taken for another's", now-runs)
		}
		if _, err := l.Next(); err != nil {
			t.Fatal(err)
		}
		p := plan(t, "pipe")
		p.Duration = bpftest.WorkFor(120 * time.Millisecond)
		if err := p.Run(t.Context(), &timer{}, nil); err != nil {
			t.Fatal(err)
		}
		r, err := l.Next()
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range r.Cores {
			var switches, costs uint64
			for _, class := range c.Classes {
				switches, costs = switches+class.Switches, costs+class.Cost.Count
			}
			// The phases of a core's last switch are counted with the next one, and a busy core makes some
			// switches between the readings of its page and of its sums.
			may := 2 + switches/1000 + r.Lost.HiddenSwitches + skipped(capture.Switch, switches)
			if switches > costs+may || costs > switches+may {
				t.Errorf("core %d: %d switches, %d of them were timed; %d may be missing", c.CPU, switches, costs, may)
			}
		}
		if r.System.PhaseNS != r.DurationNS {
			t.Errorf("phases were timed for %d ns of %d", r.System.PhaseNS, r.DurationNS)
		}
	}
}

// skipped is how many phases the kernel may leave untimed, since it skips kprobes now and then.
func skipped(hook string, switches uint64) uint64 {
	if strings.HasPrefix(hook, "kprobe:") {
		return 10 + switches/1000
	}
	return 0
}
