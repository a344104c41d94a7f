package baseline

import (
	"fmt"
	"io"

	"github.com/cilium/ebpf/link"
)

// Slowdown makes every switch phase longer, so that a test can see whether statistics
// find that.
type Slowdown struct{ objs slowdownObjects }

// LoadSlowdown loads a program that takes time at every switch, at first none.
func LoadSlowdown() (*Slowdown, error) {
	s := &Slowdown{}
	if err := loadSlowdownObjects(&s.objs, nil); err != nil {
		return nil, fmt.Errorf("load eBPF program: %w", err)
	}
	return s, nil
}

// Set says how many turns, at most 4096, a switch takes longer from now on; a turn is a
// multiplication. What an attached program costs by itself stays the same.
func (s *Slowdown) Set(turns int) error {
	if err := s.objs.SlowdownTurns.Set(uint32(turns)); err != nil {
		return fmt.Errorf("set the slowdown: %w", err)
	}
	return nil
}

// Attach begins to slow down every switch, until the link is closed. It must come
// after the collector has attached, so that what it takes falls into the switch
// phase.
func (s *Slowdown) Attach() (io.Closer, error) {
	l, err := link.AttachTracing(link.TracingOptions{Program: s.objs.StSlowdown})
	if err != nil {
		return nil, fmt.Errorf("attach slowdown to sched_switch: %w", err)
	}
	return l, nil
}

// Close unloads the program.
func (s *Slowdown) Close() error { return s.objs.Close() }
