package bpf

import (
	"fmt"

	"github.com/cilium/ebpf"
)

// Yardstick are programs on the hooks that Load attaches to, to compare its
// overhead with.
type Yardstick struct {
	Hooks      []Hook
	collection *ebpf.Collection
}

// LoadEmpty loads a program that does nothing for each of the tracepoints that
// this kernel has: the floor of any tracer's overhead on them.
func LoadEmpty() (*Yardstick, error) {
	spec, err := loadEmpty()
	if err != nil {
		return nil, err
	}
	return loadYardstick(spec)
}

// LoadStamps loads programs that only read the clock where a switch's phases and
// its wait begin and end: the floor of any tracer that measures those. cores is
// the highest core number plus one.
func LoadStamps(cores int) (*Yardstick, error) {
	spec, err := loadStamps()
	if err != nil {
		return nil, err
	}
	spec.Maps[stampsMapStStamps].MaxEntries = uint32(cores)
	return loadYardstick(spec)
}

func loadYardstick(spec *ebpf.CollectionSpec) (*Yardstick, error) {
	kernel, err := ReadKernel()
	if err != nil {
		return nil, err
	}
	for name, program := range spec.Programs {
		if !kernel.hasTracepoint(program.AttachTo) {
			delete(spec.Programs, name)
		}
	}
	y := &Yardstick{}
	if y.collection, err = ebpf.NewCollectionWithOptions(spec, kernel.options()); err != nil {
		return nil, fmt.Errorf("load eBPF programs: %w", err)
	}
	for name, program := range y.collection.Programs {
		y.Hooks = append(y.Hooks, Hook{Name: spec.Programs[name].AttachTo, Program: program})
	}
	return y, nil
}

// Close unloads the programs.
func (y *Yardstick) Close() { y.collection.Close() }
