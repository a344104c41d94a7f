package bpf

import (
	"fmt"
	"slices"

	"github.com/cilium/ebpf"
)

// HookKind says how a program is attached.
type HookKind uint8

// The kinds of hooks, from the cheapest to the dearest.
const (
	// Tracepoint is one of the scheduler's or of timers, with BTF type information.
	Tracepoint HookKind = iota
	// Fentry is the entry of a kernel function, by a BPF trampoline.
	Fentry
	// Kprobe is the entry of a kernel function too. It takes several times as long.
	Kprobe
)

// HookSet is a set of hooks that bound phases.
type HookSet uint8

// The sets.
const (
	// PhaseTracepoints are sched_entry_tp and sched_exit_tp.
	PhaseTracepoints HookSet = 1 << iota
	// FentryHooks and KprobeHooks are all of these kinds.
	FentryHooks
	KprobeHooks
)

// Hook is a program and the place where it is to be attached.
type Hook struct {
	// Name is the tracepoint's, or "fentry:" or "kprobe:" and the kernel function's. It is ""
	// if there is no hook.
	Name    string
	Kind    HookKind
	Program *ebpf.Program
	// Symbol is the kernel function, empty for a tracepoint.
	Symbol string
	// Set is the one of Options.Avoid that this hook is in; 0: none.
	Set HookSet

	program string // its name in the collection
}

// hookProgram is a program of a tracepoint that bounds no phase.
type hookProgram struct{ tracepoint, program string }

// hookPrograms are those of the full way, in the order of attaching.
var hookPrograms = [...]hookProgram{
	{"hrtimer_expire_exit", slicetraceProgStTickEnd},
	{"hrtimer_expire_entry", slicetraceProgStTick},
	{"sched_process_fork", slicetraceProgStFork},
	{"sched_process_exec", slicetraceProgStExec},
	{"task_rename", slicetraceProgStRename},
	{"sched_process_exit", slicetraceProgStProcessExit},
	{"sched_wakeup_new", slicetraceProgStWakeupNew},
	{"sched_wakeup", slicetraceProgStWakeup},
	{"sched_waking", slicetraceProgStWhyWaking},
	{"sched_switch", slicetraceProgStSwitch},
}

// way is a way to bound a phase: the program for it, and the tracepoint or the function.
type way struct {
	kind    HookKind
	place   string
	program string
	set     HookSet // the one that it is in
}

// pickStart and switchEnd are the ways to bound each phase, the best first. The tracepoint
// rcu_utilization fires within rcu_note_context_switch.
var (
	pickStart = []way{
		{Tracepoint, "sched_entry_tp", slicetraceProgStEntry, PhaseTracepoints},
		{Fentry, "rcu_note_context_switch", slicetraceProgStNote, FentryHooks},
		{Tracepoint, "rcu_utilization", slicetraceProgStUtilization, 0},
	}
	switchEnd = []way{
		{Tracepoint, "sched_exit_tp", slicetraceProgStExit, PhaseTracepoints},
		{Fentry, "finish_task_switch", slicetraceProgStFinish, FentryHooks},
		{Kprobe, "finish_task_switch", slicetraceProgStFinishKprobe, KprobeHooks},
	}
)

// hook returns the hook of a way; its name is "" if this kernel lacks it. symbol returns the name
// of a kernel function in kallsyms, "" if it has none.
func (w way) hook(kernel *Kernel, symbol func(string) string) Hook {
	h := Hook{Kind: w.kind, program: w.program, Set: w.set}
	switch {
	case w.kind == Tracepoint:
		if kernel.HasTracepoint(w.place) {
			h.Name = w.place
		}
	case w.kind == Fentry:
		// The kernel finds the function by the name that it has both here and there.
		if kernel.hasFunction(w.place) && symbol(w.place) == w.place {
			h.Symbol, h.Name = w.place, "fentry:"+w.place
		}
	default:
		if name := symbol(w.place); name != "" && hasKprobes() {
			h.Symbol, h.Name = name, "kprobe:"+name
		}
	}
	return h
}

// choose returns the best hook that this kernel has, without those to avoid; its name is "" if
// there is none.
func choose(ways []way, kernel *Kernel, avoid HookSet, symbol func(string) string) Hook {
	for _, w := range ways {
		if w.set&avoid != 0 {
			continue
		}
		if h := w.hook(kernel, symbol); h.Name != "" {
			return h
		}
	}
	return Hook{}
}

// chooseHooks removes from spec the programs whose hook this kernel lacks, or has a better one
// for, and notes the order of the others.
func (objs *Objects) chooseHooks(spec *ebpf.CollectionSpec, kernel *Kernel, o Options) (err error) {
	objs.Pick, objs.Switch = chooseBounds(spec, kernel, o.Avoid, !o.NoPick, !o.NoSwitch)
	wanted := func(h hookProgram) bool {
		switch h.program {
		case slicetraceProgStRename:
			return o.Record
		case slicetraceProgStWhyWaking:
			return o.Why != nil
		}
		return true
	}
	objs.Hooks, err = chooseTracepoints(spec, kernel, hookPrograms[:], wanted)
	return err
}

// chooseBounds returns the hooks that bound the phases which are asked for, and removes from spec the
// programs of all others.
func chooseBounds(
	spec *ebpf.CollectionSpec, kernel *Kernel, avoid HookSet, timePick, timeSwitch bool,
) (pick, end Hook) {
	symbol := symbolFinder("rcu_note_context_switch", "finish_task_switch")
	if timePick {
		pick = choose(pickStart, kernel, avoid, symbol)
		if pick.Name == "rcu_utilization" && !kernel.hasFunction("rcu_note_context_switch") {
			pick = Hook{} // a kernel for one core (Tiny RCU) does not fire it there
		}
	}
	if timeSwitch {
		end = choose(switchEnd, kernel, avoid, symbol)
	}
	for _, w := range slices.Concat(pickStart, switchEnd) {
		if w.program != pick.program && w.program != end.program {
			delete(spec.Programs, w.program)
		}
	}
	return pick, end
}

// chooseTracepoints returns the hooks of the programs that are wanted and whose tracepoint this kernel
// has, in the same order, and removes the others from spec. sched_switch must be there.
func chooseTracepoints(
	spec *ebpf.CollectionSpec, kernel *Kernel, programs []hookProgram, wanted func(hookProgram) bool,
) (hooks []Hook, err error) {
	for _, h := range programs {
		switch {
		case kernel.HasTracepoint(h.tracepoint) && wanted(h):
			hooks = append(hooks, Hook{Name: h.tracepoint, program: h.program})
		case h.tracepoint == "sched_switch":
			return nil, fmt.Errorf("kernel has no tracepoint %s with BTF type information", h.tracepoint)
		default:
			delete(spec.Programs, h.program)
		}
	}
	return hooks, nil
}
