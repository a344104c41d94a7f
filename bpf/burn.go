package bpf

import (
	"fmt"
	"io"

	"github.com/cilium/ebpf/link"
)

// Burn is a slowdown to plant, so that statistics can be held to finding it.
type Burn struct{ objs burnObjects }

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
	return b, nil
}

// Attach begins to burn at every switch, until the link is closed. It must come
// after the collector has attached, so that what it burns falls into the switch
// phase.
func (b *Burn) Attach() (io.Closer, error) {
	l, err := link.AttachTracing(link.TracingOptions{Program: b.objs.StBurn})
	if err != nil {
		return nil, fmt.Errorf("attach slowdown to sched_switch: %w", err)
	}
	return l, nil
}

// Close unloads the program.
func (b *Burn) Close() error { return b.objs.Close() }
