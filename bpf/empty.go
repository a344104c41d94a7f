package bpf

import (
	"fmt"

	"github.com/cilium/ebpf"
)

// Empty are programs that do nothing, for the hooks that Load attaches to: the
// floor of any tracer's overhead on them.
type Empty struct {
	Hooks      []Hook
	collection *ebpf.Collection
}

// LoadEmpty loads an empty program for each of the tracepoints that this
// kernel has.
func LoadEmpty() (*Empty, error) {
	kernel, err := kernelTypes()
	if err != nil {
		return nil, err
	}
	spec, err := loadEmpty()
	if err != nil {
		return nil, err
	}
	for name, program := range spec.Programs {
		if !hasTracepoint(kernel, program.AttachTo) {
			delete(spec.Programs, name)
		}
	}
	e := &Empty{}
	if e.collection, err = ebpf.NewCollection(spec); err != nil {
		return nil, fmt.Errorf("load empty eBPF programs: %w", err)
	}
	for name, program := range e.collection.Programs {
		e.Hooks = append(e.Hooks, Hook{Name: spec.Programs[name].AttachTo, Program: program})
	}
	return e, nil
}

// Close unloads the programs.
func (e *Empty) Close() { e.collection.Close() }
