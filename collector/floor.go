package collector

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf"
)

const floorSamples = 1000

// Floor is how much of the tracer's time is inside a phase: the median time from one program's
// last stamp to the next program's first, with nothing between them. The programs were attached
// by hooks of the same kinds as those that bound the phase.
type Floor struct {
	// Pick and Switch say which phases contain it: both, if both lie between tracepoints.
	Pick, Switch bool
	Median       time.Duration
	// Err is why it could not be measured.
	Err error

	kind  bpf.HookKind // of the hook that is not a tracepoint, if there is one
	hooks string       // those between which it was measured
}

// Floors returns the floors of the phases that are timed, as Open measured them.
func (c *Collector) Floors() []Floor { return c.floors }

// phases names the phases that contain the floor.
func (f Floor) phases() string {
	switch {
	case f.Pick && f.Switch:
		return "each phase"
	case f.Pick:
		return "the pick phase"
	}
	return "the switch phase"
}

// measureFloors measures the floor of each phase that is timed.
func measureFloors(kernel *bpf.Kernel, pick, switchEnd bpf.Hook) []Floor {
	timesPick, timesSwitch := pick.Name != "", switchEnd.Name != ""
	if timesPick && timesSwitch && pick.Kind == bpf.Tracepoint && switchEnd.Kind == bpf.Tracepoint {
		return []Floor{measureFloor(kernel, Floor{Pick: true, Switch: true}, bpf.Tracepoint, bpf.Tracepoint)}
	}
	var floors []Floor
	if timesPick {
		floors = append(floors, measureFloor(kernel, Floor{Pick: true, kind: pick.Kind}, pick.Kind, bpf.Tracepoint))
	}
	if timesSwitch {
		f := Floor{Switch: true, kind: switchEnd.Kind}
		floors = append(floors, measureFloor(kernel, f, bpf.Tracepoint, switchEnd.Kind))
	}
	return floors
}

// measureFloor completes a floor.
func measureFloor(kernel *bpf.Kernel, f Floor, start, end bpf.HookKind) Floor {
	f.Median, f.Err = f.measure(kernel, start, end)
	if f.Err != nil {
		f.Err = fmt.Errorf("measure hook floor of %s: %w", f.phases(), f.Err)
	}
	return f
}

func (f *Floor) measure(kernel *bpf.Kernel, start, end bpf.HookKind) (time.Duration, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	floor, err := bpf.LoadFloor(kernel, unix.Gettid(), start, end)
	if err != nil {
		return 0, explain(err)
	}
	defer floor.Close()
	for _, h := range floor.Hooks {
		l, err := attach(h)
		if err != nil {
			return 0, fmt.Errorf("attach to %s: %w", h.Name, explain(err))
		}
		defer l.Close()
	}
	f.hooks = floor.Hooks[0].Name
	if last := floor.Hooks[1].Name; last != f.hooks {
		f.hooks += "," + last
	}
	// This process has no child of that number, so each wait returns at once.
	self := unix.Getpid()
	for range floorSamples {
		if _, err := unix.Wait4(self, nil, unix.WNOHANG, nil); !errors.Is(err, unix.ECHILD) {
			return 0, fmt.Errorf("wait for a child that does not exist: %w", err)
		}
	}
	samples, err := floor.Samples()
	if err == nil && len(samples) < floorSamples/2 {
		err = fmt.Errorf("only %d of %d samples", len(samples), floorSamples)
	}
	if err != nil {
		return 0, err
	}
	slices.Sort(samples)
	return time.Duration(samples[len(samples)/2]), nil
}
