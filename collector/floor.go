package collector

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf"
)

const floorSamples = 1000

// hookFloor is what of the tracer remains inside every phase, or why it could not
// be measured.
type hookFloor struct {
	median time.Duration
	err    error
}

// Floor returns what of the tracer remains inside every phase, as measured by
// Open: the median time from one program's last stamp to the next program's
// first, with nothing between them.
func (c *Collector) Floor() (time.Duration, error) { return c.floor.median, c.floor.err }

func measureFloor(kernel *bpf.Kernel) (time.Duration, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	floor, err := bpf.LoadFloor(kernel, unix.Gettid())
	if err != nil {
		return 0, fmt.Errorf("measure hook floor: %w", explain(err))
	}
	defer floor.Close()
	for _, program := range []*ebpf.Program{floor.First, floor.Second} {
		l, err := link.AttachTracing(link.TracingOptions{Program: program})
		if err != nil {
			return 0, fmt.Errorf("measure hook floor: attach to task_rename: %w", explain(err))
		}
		defer l.Close()
	}
	if err := renameThread(floorSamples); err != nil {
		return 0, fmt.Errorf("measure hook floor: %w", err)
	}
	samples, err := floor.Samples()
	if err == nil && len(samples) < floorSamples/2 {
		err = fmt.Errorf("only %d of %d samples", len(samples), floorSamples)
	}
	if err != nil {
		return 0, fmt.Errorf("measure hook floor: %w", err)
	}
	slices.Sort(samples)
	return time.Duration(samples[len(samples)/2]), nil
}

// renameThread gives this thread the name that it has, n times.
func renameThread(n int) error {
	var name [16]byte
	get := unix.Prctl(unix.PR_GET_NAME, uintptr(unsafe.Pointer(&name[0])), 0, 0, 0)
	for range n {
		if err := unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(&name[0])), 0, 0, 0); err != nil {
			return errors.Join(get, err)
		}
	}
	return get
}
