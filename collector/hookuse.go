package collector

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cilium/ebpf"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/collector/hostinfo"
)

// HookedFunctions returns the kernel functions on whose entries the attached programs run.
func (a *attached) HookedFunctions() []string {
	var functions []string
	for _, h := range a.all() {
		if h.Symbol != "" {
			functions = append(functions, h.Symbol)
		}
	}
	return functions
}

// HookUse asks the kernel which other tracers use the collector's hooks. It may be called at
// any time until Close. What the kernel refuses to tell is left unknown, since that is no
// reason to lose what is measured.
func (a *attached) HookUse() hostinfo.HookUse {
	var use hostinfo.HookUse
	for _, h := range a.hooks {
		if h.Name != "sched_switch" {
			continue
		}
		if stats, err := h.Program.Stats(); err == nil {
			use.Runs = stats.RunCount
		}
	}
	if a.others == nil {
		return use
	}
	if a.own == nil {
		a.own = a.ownPrograms()
	}
	var found, life tracers
	for i, l := range a.links {
		hook := a.hooks[i]
		link, ok := l.(interface{ FD() int })
		if !ok || hook.Kind != bpf.Tracepoint {
			continue
		}
		callbacks, err := a.others.At(link.FD())
		if err != nil {
			return use
		}
		for _, callback := range callbacks {
			if _, own := a.own[callback.Program]; !own {
				name, list := tracerName(callback, a.own), &found
				if ofLife(hook.Name) && name != anotherOfUs {
					list = &life
				}
				list.add(name, hook.Name)
			}
		}
	}
	use.Tracers, use.LifecycleTracers = found.String(), life.String()
	if work, ok, err := a.others.SyscallWork(); err == nil && ok {
		use.Syscalls = syscallWork(work)
	}
	return use
}

// ofLife reports whether a hook is passed once in a task's life, or as often as it
// executes a program or gives itself a name.
func ofLife(hook string) bool {
	return strings.HasPrefix(hook, "sched_process_") || hook == "task_rename" || hook == "sched_wakeup_new"
}

// ownNames are the names of the collector's programs by their ids.
type ownNames map[ebpf.ProgramID]string

// ownPrograms returns the names of this process's programs by their ids. Another
// slicetrace's have the same names.
func (a *attached) ownPrograms() ownNames {
	own := make(ownNames)
	for _, h := range a.all() {
		info, err := h.Program.Info()
		if err != nil {
			continue
		}
		if id, ok := info.ID(); ok {
			own[id] = info.Name
		}
	}
	return own
}

// anotherOfUs names another process's slicetrace.
const anotherOfUs = "another slicetrace"

// tracerName describes the tracer that a function at a tracepoint belongs to. The kernel does
// not tell which process that is.
func tracerName(c bpf.Callback, own ownNames) string {
	ours := slices.Collect(maps.Values(own))
	switch {
	case c.Program != 0 && slices.Contains(ours, c.Name):
		return anotherOfUs
	case c.Program != 0:
		return fmt.Sprintf("eBPF program %q", c.Name)
	case strings.HasPrefix(c.Function, "perf_trace_"):
		return "perf events" // perf's, or of an eBPF program that has such an event
	case strings.HasPrefix(c.Function, "trace_event_raw_event_"):
		return "tracefs"
	}
	return "kernel function " + c.Function
}

// tracers are the users of hooks: on which hooks, and how many with the same name on each.
type tracers struct {
	names []string // in the order in which they were found
	hooks map[string]map[string]int
}

func (t *tracers) add(name, hook string) {
	if t.hooks == nil {
		t.hooks = make(map[string]map[string]int)
	}
	if t.hooks[name] == nil {
		t.names = append(t.names, name)
		t.hooks[name] = make(map[string]int)
	}
	t.hooks[name][hook]++
}

func (t *tracers) String() string {
	if len(t.names) == 0 {
		return "none"
	}
	var parts []string
	for _, name := range t.names {
		part := name
		if n := slices.Max(slices.Collect(maps.Values(t.hooks[name]))); n > 1 {
			part += fmt.Sprintf(" ×%d", n)
		}
		if name != anotherOfUs { // whose hooks are known
			part += " on " + strings.Join(slices.Sorted(maps.Keys(t.hooks[name])), ", ")
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "; ")
}

func syscallWork(work bpf.SyscallWork) string {
	var parts []string
	for _, bit := range []struct {
		bit  bpf.SyscallWork
		name string
	}{
		{bpf.SyscallTracepoint, "tracepoints"}, {bpf.SyscallAudit, "audit"},
		{bpf.SyscallEmulation, "emulation"}, {bpf.SyscallDispatch, "user dispatch"},
	} {
		if work&bit.bit != 0 {
			parts = append(parts, bit.name)
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

func (a *attached) recursionMisses() (uint64, error) {
	var sum uint64
	for _, h := range a.all() {
		if redundant[h.Name] {
			continue
		}
		stats, err := h.Program.Stats()
		if err != nil {
			return 0, fmt.Errorf("read statistics of %s: %w", h.Name, err)
		}
		sum += stats.RecursionMisses
	}
	return sum, nil
}
