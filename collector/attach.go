package collector

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cilium/ebpf/link"

	"github.com/slicetrace/slicetrace/bpf"
)

// load loads the programs and attaches those that bound the phases. If one of these cannot be
// attached, or is never called, it does without hooks of that kind.
func (c *Collector) load(kernel *bpf.Kernel, o bpf.Options) error {
	for {
		var err error
		if c.objs, err = bpf.Load(kernel, o); err != nil {
			return explain(err)
		}
		if c.objs.FentryRefused != nil {
			o.Avoid |= bpf.FentryHooks
			c.useless = append(c.useless, useless{pickPhase.name, "fentry", c.objs.FentryRefused})
		}
		failed, err := c.attachBounds()
		if err == nil || failed.Kind == bpf.Tracepoint {
			return err
		}
		o.Avoid |= failed.Set
		of := switchPhase.name
		if failed.Name == c.objs.Pick.Name {
			of = pickPhase.name
		}
		c.useless = append(c.useless, useless{of, failed.Name, err})
		if err := c.detach(); err != nil {
			return err
		}
		c.objs.Close()
		c.objs = nil
	}
}

// attachBounds attaches the programs that bound the phases. If one cannot be attached or is never
// called, it returns its hook.
func (c *Collector) attachBounds() (failed bpf.Hook, err error) {
	for _, b := range []struct {
		hook  bpf.Hook
		stamp func(*bpf.CPUState) uint64
	}{
		{c.objs.Pick, func(core *bpf.CPUState) uint64 { return core.EntryStamp }},
		{c.objs.Switch, func(core *bpf.CPUState) uint64 { return core.ExitStamp }},
	} {
		if b.hook.Name == "" {
			continue
		}
		if err := c.attach(b.hook); err != nil {
			return b.hook, err
		}
		if b.hook.Kind == bpf.Tracepoint {
			continue
		}
		if err := c.awaitStamp(b.stamp); err != nil {
			return b.hook, err
		}
	}
	return bpf.Hook{}, nil
}

// stampLimit is the longest wait for the first switch after a program was attached.
const stampLimit = 100 * time.Millisecond

// awaitStamp waits until a core has its first stamp. Before sched_switch is attached, a stamp
// stays. Where kernel.ftrace_enabled is 0, the kernel attaches to its functions and never calls
// what was attached.
func (c *Collector) awaitStamp(stamp func(*bpf.CPUState) uint64) error {
	for start := time.Now(); time.Since(start) < stampLimit; {
		time.Sleep(100 * time.Microsecond) // a switch
		for _, known := range c.cores {
			var core bpf.CPUState
			if err := c.objs.CPUs.Lookup(uint32(known.cpu), &core); err != nil {
				return fmt.Errorf("read stamps of core %d: %w", known.cpu, err)
			}
			if stamp(&core) != 0 {
				return nil
			}
		}
	}
	return errors.New("the kernel never calls it; is kernel.ftrace_enabled 0?")
}

// start attaches the other programs.
func (c *Collector) start() error {
	rec, err := c.startRecording(c.options.Record)
	if err != nil {
		return err
	}
	if c.ring, err = newRing(c.objs, rec, c.now, c.readBeforeWrap); err != nil {
		return err
	}
	for _, h := range c.objs.Hooks {
		if err := c.attach(h); err != nil {
			return err
		}
		// From here on new tasks are recorded with their names, and new names with their
		// times, and no switch is recorded yet, since sched_switch is attached last.
		if rec != nil && h.Name == "sched_wakeup_new" {
			if err := c.ring.withWriter(func(r *eventWriter) { r.tasks(runningTasks()) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// attached are programs on their hooks.
type attached struct {
	hooks  []bpf.Hook
	links  []link.Link // theirs
	others *bpf.Others // nil where the other users of a hook cannot be known
	own    ownNames
	beside *attached // another tracer of this process, nil if there is none
}

// all are the hooks of this tracer and of the one beside it.
func (a *attached) all() []bpf.Hook {
	if a.beside == nil {
		return a.hooks
	}
	return slices.Concat(a.hooks, a.beside.hooks)
}

// attach attaches a hook's program until detach.
func (a *attached) attach(h bpf.Hook) error {
	l, err := attach(h)
	if err != nil {
		return fmt.Errorf("attach to %s: %w", h.Name, explain(err))
	}
	a.hooks, a.links = append(a.hooks, h), append(a.links, l)
	return nil
}

func attach(h bpf.Hook) (link.Link, error) {
	if h.Kind == bpf.Kprobe {
		return link.Kprobe(h.Symbol, h.Program, nil)
	}
	return link.AttachTracing(link.TracingOptions{Program: h.Program})
}

// detach detaches all programs.
func (a *attached) detach() error {
	var errs []error
	for _, l := range a.links {
		errs = append(errs, l.Close())
	}
	a.hooks, a.links = nil, nil
	return errors.Join(errs...)
}
