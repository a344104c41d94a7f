package bpf

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
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

// HookKinds is a set of kinds: bit k is set if it holds the kind k.
type HookKinds uint8

// Sets of one kind.
const (
	Tracepoints = HookKinds(1) << Tracepoint
	Fentries    = HookKinds(1) << Fentry
	Kprobes     = HookKinds(1) << Kprobe
)

func (s HookKinds) has(k HookKind) bool { return s&(1<<k) != 0 }

// Hook is a program and the place where it is to be attached.
type Hook struct {
	// Name is the tracepoint's, or "fentry:" or "kprobe:" and the kernel function's. It is ""
	// if there is no hook.
	Name    string
	Kind    HookKind
	Program *ebpf.Program
	// Symbol is the kernel function, empty for a tracepoint.
	Symbol string

	program string // its name in the collection
}

// hookPrograms are the tracepoints that do not bound a phase, in the order of attaching.
var hookPrograms = [...]struct{ tracepoint, program string }{
	{"hrtimer_expire_exit", slicetraceProgStTickEnd},
	{"hrtimer_expire_entry", slicetraceProgStTick},
	{"sched_process_fork", slicetraceProgStFork},
	{"sched_process_exec", slicetraceProgStExec},
	{"task_rename", slicetraceProgStRename},
	{"sched_process_exit", slicetraceProgStProcessExit},
	{"sched_wakeup_new", slicetraceProgStWakeupNew},
	{"sched_wakeup", slicetraceProgStWakeup},
	{"sched_switch", slicetraceProgStSwitch},
}

// bound is a place of the kernel that bounds a phase, and the programs for each way to hook it.
type bound struct {
	tracepoint, function string
	programs             [Kprobe + 1]string
}

var (
	pickStart = bound{"sched_entry_tp", "rcu_note_context_switch", [...]string{
		Tracepoint: slicetraceProgStEntry, Fentry: slicetraceProgStNote, Kprobe: slicetraceProgStNoteKprobe,
	}}
	switchEnd = bound{"sched_exit_tp", "finish_task_switch", [...]string{
		Tracepoint: slicetraceProgStExit, Fentry: slicetraceProgStFinish, Kprobe: slicetraceProgStFinishKprobe,
	}}
)

// choose returns the best hook that this kernel has, without those to avoid; its name is "" if
// there is none. symbol returns the name of a kernel function in kallsyms, "" if it has none.
func (b bound) choose(kernel *Kernel, avoid HookKinds, symbol func(string) string) Hook {
	hook := func(kind HookKind, name, symbol string) Hook {
		return Hook{Name: name, Kind: kind, Symbol: symbol, program: b.programs[kind]}
	}
	if !avoid.has(Tracepoint) && kernel.HasTracepoint(b.tracepoint) {
		return hook(Tracepoint, b.tracepoint, "")
	}
	if avoid.has(Fentry) && avoid.has(Kprobe) {
		return Hook{}
	}
	name := symbol(b.function)
	switch {
	case name == "":
		return Hook{}
	case !avoid.has(Fentry) && name == b.function && kernel.hasFunction(b.function):
		return hook(Fentry, "fentry:"+name, name)
	case !avoid.has(Kprobe) && hasKprobes():
		return hook(Kprobe, "kprobe:"+name, name)
	}
	return Hook{}
}

// chooseHooks removes from spec the programs whose hook this kernel lacks, or has a better one
// for, and notes the order of the others.
func (objs *Objects) chooseHooks(spec *ebpf.CollectionSpec, kernel *Kernel, o Options) error {
	symbol := symbolFinder(pickStart.function, switchEnd.function)
	if !o.NoPick {
		objs.Pick = pickStart.choose(kernel, o.Avoid, symbol)
	}
	if !o.NoSwitch {
		objs.Switch = switchEnd.choose(kernel, o.Avoid, symbol)
	}
	if err := objs.guardPick(spec, kernel); err != nil {
		return err
	}
	for _, h := range hookPrograms {
		switch {
		case kernel.HasTracepoint(h.tracepoint) && (h.program != slicetraceProgStRename || o.Record):
			objs.Hooks = append(objs.Hooks, Hook{Name: h.tracepoint, program: h.program})
		case h.program == slicetraceProgStSwitch:
			return fmt.Errorf("kernel has no tracepoint %s with BTF type information", h.tracepoint)
		default:
			delete(spec.Programs, h.program)
		}
	}
	for _, program := range slices.Concat(pickStart.programs[:], switchEnd.programs[:]) {
		if program != objs.Pick.program && program != objs.Switch.program {
			delete(spec.Programs, program)
		}
	}
	return nil
}

// progActive is the kernel's variable by which it skips the programs of kprobes.
const progActive = "bpf_prog_active"

// guardPick lets the program on sched_switch read progActive if a kprobe starts the pick phase. A
// kernel that does not describe the variable has no pick phase then. The library could give the
// program the variable's address only, which the kernel does not let it read.
func (objs *Objects) guardPick(spec *ebpf.CollectionSpec, kernel *Kernel) error {
	var id btf.TypeID
	if objs.Pick.Kind == Kprobe {
		var variable *btf.Var
		err := kernel.types.TypeByName(progActive, &variable)
		if err == nil {
			id, err = kernel.types.TypeID(variable)
		}
		switch {
		case errors.Is(err, btf.ErrNotFound):
			objs.Pick = Hook{}
		case err != nil:
			return fmt.Errorf("find the kernel's variable %s: %w", progActive, err)
		}
	}
	if err := spec.Variables[slicetraceVarPickByKprobe].Set(objs.Pick.Kind == Kprobe); err != nil {
		return fmt.Errorf("set the hook of the pick phase: %w", err)
	}
	const pseudoBTFID = asm.R3 // BPF_PSEUDO_BTF_ID of linux/bpf.h
	instructions := spec.Programs[slicetraceProgStSwitch].Instructions
	for i, ins := range instructions {
		if ins.Reference() != progActive {
			continue
		}
		load := asm.LoadImm(ins.Dst, int64(id), asm.DWord)
		if id != 0 {
			load.Src = pseudoBTFID
		}
		instructions[i] = load.WithSource(ins.Source())
	}
	return nil
}
