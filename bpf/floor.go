package bpf

import (
	"fmt"

	"github.com/cilium/ebpf"
)

// Floor measures how long a phase is in which nothing happens: the time between the
// stamps of two programs that run one right after the other.
type Floor struct {
	// Hooks are to be attached in this order. They take a sample whenever the thread waits
	// for a child.
	Hooks []Hook

	collection *ebpf.Collection
}

// LoadFloor loads the two programs, which take samples only on the thread tid. The second
// one's hook is of the kind that ends the switch phase: a tracepoint, or a kprobe.
func LoadFloor(kernel *Kernel, tid int, kprobe bool) (*Floor, error) {
	spec, err := loadFloor()
	if err != nil {
		return nil, err
	}
	if err := spec.Variables[floorVarFloorTid].Set(uint32(tid)); err != nil {
		return nil, fmt.Errorf("set thread to measure on: %w", err)
	}
	second := Hook{Name: "sched_process_wait"}
	name, other := floorProgStFloorSecond, floorProgStFloorKprobe
	if kprobe {
		second = Hook{Name: "kprobe:add_wait_queue", Symbol: "add_wait_queue"}
		name, other = other, name
	}
	delete(spec.Programs, other)
	f := &Floor{}
	f.collection, err = ebpf.NewCollectionWithOptions(spec, kernel.Options())
	if err != nil {
		return nil, fmt.Errorf("load eBPF programs: %w", err)
	}
	second.Program = f.collection.Programs[name]
	f.Hooks = []Hook{{Name: "sched_process_wait", Program: f.collection.Programs[floorProgStFloorFirst]}, second}
	return f, nil
}

// Samples returns the times between the two stamps, in nanoseconds, in the order in which
// they were measured.
func (f *Floor) Samples() ([]uint32, error) {
	variables := f.collection.Variables
	var count uint32
	if err := variables[floorVarFloorCount].Get(&count); err != nil {
		return nil, fmt.Errorf("read samples: %w", err)
	}
	samples := make([]uint32, variables[floorVarFloorNs].Size()/4)
	if err := variables[floorVarFloorNs].Get(samples); err != nil {
		return nil, fmt.Errorf("read samples: %w", err)
	}
	return samples[:count], nil
}

// Close unloads the programs.
func (f *Floor) Close() { f.collection.Close() }
