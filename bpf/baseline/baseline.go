package baseline

import (
	"fmt"

	"github.com/cilium/ebpf"

	"github.com/slicetrace/slicetrace/bpf"
)

// Programs are for the hooks that bpf.Load's programs use, to compare overheads.
type Programs struct {
	Hooks      []bpf.Hook
	collection *ebpf.Collection
}

// LoadEmpty loads a program that does nothing for each of the tracepoints that this
// kernel has: no tracer on them can cost less.
func LoadEmpty() (*Programs, error) {
	spec, err := loadEmpty()
	if err != nil {
		return nil, err
	}
	return loadPrograms(spec)
}

// LoadStamps loads programs that only read the clock where a switch's phases and its wait
// begin and end: no tracer that measures those can cost less. cores is the highest core
// number plus one.
func LoadStamps(cores int) (*Programs, error) {
	spec, err := loadStamps()
	if err != nil {
		return nil, err
	}
	spec.Maps[stampsMapStStamps].MaxEntries = uint32(cores)
	return loadPrograms(spec)
}

func loadPrograms(spec *ebpf.CollectionSpec) (*Programs, error) {
	kernel, err := bpf.ReadKernel()
	if err != nil {
		return nil, err
	}
	for name, program := range spec.Programs {
		if !kernel.HasTracepoint(program.AttachTo) {
			delete(spec.Programs, name)
		}
	}
	p := &Programs{}
	if p.collection, err = ebpf.NewCollectionWithOptions(spec, kernel.Options()); err != nil {
		return nil, fmt.Errorf("load eBPF programs: %w", err)
	}
	for name, program := range p.collection.Programs {
		p.Hooks = append(p.Hooks, bpf.Hook{Name: spec.Programs[name].AttachTo, Program: program})
	}
	return p, nil
}

// Close unloads the programs.
func (p *Programs) Close() { p.collection.Close() }
