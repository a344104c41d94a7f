package collector

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf"
)

const floorSamples = 1000

// hookFloor is how much of the tracer's time is inside every phase, or why that could not be
// measured.
type hookFloor struct {
	median time.Duration
	end    string // the hook that ended its samples
	err    error
}

// Floor returns how much of the tracer's time is inside every phase, as Open measured it: the
// median time from one program's last stamp to the next program's first, with nothing between
// them. Where a kprobe ends the switch phase, a kprobe ends the measurement too.
func (c *Collector) Floor() (time.Duration, error) { return c.floor.median, c.floor.err }

func measureFloor(kernel *bpf.Kernel, switchEnd string) hookFloor {
	f := hookFloor{}
	f.median, f.err = f.measure(kernel, strings.HasPrefix(switchEnd, "kprobe:"))
	if f.err != nil {
		f.err = fmt.Errorf("measure hook floor: %w", f.err)
	}
	return f
}

func (f *hookFloor) measure(kernel *bpf.Kernel, kprobe bool) (time.Duration, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	floor, err := bpf.LoadFloor(kernel, unix.Gettid(), kprobe)
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
		f.end = h.Name
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
