package bpf

import (
	"errors"
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

// floorStart and floorEnd are the places between which nothing happens. If both are hooked by
// a tracepoint, it is the same one.
var (
	floorStart = []way{
		{Tracepoint, "sched_process_wait", floorProgStFloorFirst, 0},
		{Fentry, "do_wait", floorProgStFloorFirstFentry, 0},
	}
	floorEnd = []way{
		{Tracepoint, "sched_process_wait", floorProgStFloorSecond, 0},
		{Fentry, "add_wait_queue", floorProgStFloorSecondFentry, 0},
		{Kprobe, "add_wait_queue", floorProgStFloorSecondKprobe, 0},
	}
)

// LoadFloor loads the two programs, which take samples only on the thread tid. Their hooks are
// of the same kinds as those that start and end the phase, of which at least one is a tracepoint.
func LoadFloor(kernel *Kernel, tid int, start, end HookKind) (*Floor, error) {
	spec, err := loadFloor()
	if err != nil {
		return nil, err
	}
	if err := spec.Variables[floorVarFloorTid].Set(uint32(tid)); err != nil {
		return nil, fmt.Errorf("set thread to measure on: %w", err)
	}
	symbol := symbolFinder("do_wait", "add_wait_queue")
	f := &Floor{}
	for _, place := range []struct {
		ways []way
		kind HookKind
	}{{floorStart, start}, {floorEnd, end}} {
		h := Hook{}
		for _, w := range place.ways {
			if w.kind == place.kind {
				h = w.hook(kernel, symbol)
			}
		}
		if h.Name == "" {
			return nil, errors.New("the kernel lacks the function to hook for it")
		}
		f.Hooks = append(f.Hooks, h)
	}
	for name := range spec.Programs {
		if name != f.Hooks[0].program && name != f.Hooks[1].program {
			delete(spec.Programs, name)
		}
	}
	f.collection, err = ebpf.NewCollectionWithOptions(spec, kernel.Options())
	if err != nil {
		return nil, fmt.Errorf("load eBPF programs: %w", err)
	}
	for i := range f.Hooks {
		f.Hooks[i].Program = f.collection.Programs[f.Hooks[i].program]
	}
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
