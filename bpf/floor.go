package bpf

import (
	"fmt"

	"github.com/cilium/ebpf"
)

// Floor measures what remains inside a phase in which nothing happens: the
// time between the stamps of two programs on the tracepoint task_rename.
type Floor struct {
	// First and Second are to be attached to task_rename in this order.
	First, Second *ebpf.Program
	objs          floorObjects
}

// LoadFloor loads the two programs; they take samples on the thread tid only.
func LoadFloor(kernel *Kernel, tid int) (*Floor, error) {
	spec, err := loadFloor()
	if err != nil {
		return nil, err
	}
	if err := spec.Variables[floorVarFloorTid].Set(uint32(tid)); err != nil {
		return nil, fmt.Errorf("set thread to measure on: %w", err)
	}
	f := &Floor{}
	options := kernel.options()
	if err := spec.LoadAndAssign(&f.objs, &options); err != nil {
		return nil, fmt.Errorf("load eBPF programs: %w", err)
	}
	f.First, f.Second = f.objs.StFloorFirst, f.objs.StFloorSecond
	return f, nil
}

// Samples returns the times between the two stamps, in nanoseconds, in the
// order of their taking.
func (f *Floor) Samples() ([]uint32, error) {
	var count uint32
	if err := f.objs.FloorCount.Get(&count); err != nil {
		return nil, fmt.Errorf("read samples: %w", err)
	}
	samples := make([]uint32, f.objs.FloorNs.Size()/4)
	if err := f.objs.FloorNs.Get(samples); err != nil {
		return nil, fmt.Errorf("read samples: %w", err)
	}
	return samples[:count], nil
}

// Close unloads the programs.
func (f *Floor) Close() error { return f.objs.Close() }
