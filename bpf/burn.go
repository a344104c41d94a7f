package bpf

import (
	"fmt"
	"io"

	"github.com/cilium/ebpf/link"
)

// Burn is a slowdown to plant, so that statistics can be held to finding it.
type Burn struct{ objs burnObjects }

// LoadBurn loads a program that burns time at every switch, at first none.
func LoadBurn() (*Burn, error) {
	b := &Burn{}
	if err := loadBurnObjects(&b.objs, nil); err != nil {
		return nil, fmt.Errorf("load eBPF program: %w", err)
	}
	return b, nil
}

// Set says for how many turns, at most 4096, to burn from now on; a turn is a
// multiplication. What an attached program costs by itself stays the same.
func (b *Burn) Set(turns int) error {
	if err := b.objs.BurnTurns.Set(uint32(turns)); err != nil {
		return fmt.Errorf("set how much to burn: %w", err)
	}
	return nil
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
