package bpf

import (
	"fmt"

	"github.com/cilium/ebpf"
)

// Burn is a slowdown to plant, so that statistics can be held to finding it.
type Burn struct {
	// Program is to be attached to sched_switch after the collector's, so that
	// what it burns falls into the switch phase.
	Program *ebpf.Program
	objs    burnObjects
}

// LoadBurn loads a program that reads the clock that many times, at most 1024,
// at every switch.
func LoadBurn(turns int) (*Burn, error) {
	spec, err := loadBurn()
	if err != nil {
		return nil, err
	}
	if err := spec.Variables[burnVarBurnTurns].Set(uint32(turns)); err != nil {
		return nil, fmt.Errorf("set how much to burn: %w", err)
	}
	b := &Burn{}
	if err := spec.LoadAndAssign(&b.objs, nil); err != nil {
		return nil, fmt.Errorf("load eBPF program: %w", err)
	}
	b.Program = b.objs.StBurn
	return b, nil
}

// Close unloads the program.
func (b *Burn) Close() error { return b.objs.Close() }
