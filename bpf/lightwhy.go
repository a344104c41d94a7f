package bpf

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/cilium/ebpf"
)

// What a kernel sends where stacks are taken, as the C side has it.
type (
	StackSample = lightStackSample
	Waker       = lightWaker
	StackBudget = lightStackBudget
	Partners    = lightPartners
	PartnerList = lightPartnerList
	PartnerSum  = lightPartnerSum
	Partner     = lightPartner
)

// StackBytes is the size of a StackSample before its stack, which is as long as it says.
const StackBytes = int(unsafe.Offsetof(StackSample{}.Stack))

// WhyOptions say which stacks are taken.
type WhyOptions struct {
	// BlockNS is the length from which absences from a core are looked at.
	BlockNS uint64
	// Walks is about how many stacks one core takes in a tenth of a second.
	Walks uint64
	// OnlyToldApart leaves out all processes but those of TellApart.
	OnlyToldApart bool
}

// ErrNoReturns means that nothing shows when a task is back on a core.
var ErrNoReturns = errors.New("stacks cannot be taken: this kernel has neither the tracepoint sched_exit_tp" +
	" (Linux 6.15) nor kprobes on finish_task_switch")

// stackRingBytes has room for the stacks of some tenths of a second.
const stackRingBytes = 4 << 20

// taskReturns are the ways to see that a task has taken its core.
var taskReturns = []way{
	{Tracepoint, "sched_exit_tp", lightProgStWhyExit, PhaseTracepoints},
	{Kprobe, "finish_task_switch", lightProgStWhyKprobe, KprobeHooks},
}

// chooseWhy removes the programs that take stacks, or sizes what they use.
func (l *Light) chooseWhy(spec *ebpf.CollectionSpec, kernel *Kernel, o LightOptions) error {
	var back Hook
	if o.Why != nil {
		back = choose(taskReturns, kernel, o.Avoid, symbolFinder("finish_task_switch"))
		if back.Name == "" {
			return ErrNoReturns
		}
		l.Hooks = append([]Hook{back}, l.Hooks...)
	}
	for _, w := range taskReturns {
		if w.program != back.program {
			delete(spec.Programs, w.program)
		}
	}
	if o.Why == nil {
		return nil
	}
	l.takesStacks = true
	spec.Maps[lightMapStBudgets].MaxEntries = uint32(o.Cores)
	spec.Maps[lightMapStSamples].MaxEntries = uint32(o.Cores)
	spec.Maps[lightMapStWakers].MaxEntries = uint32(o.Tasks)
	spec.Maps[lightMapStPartners].MaxEntries = uint32(o.Tasks)
	spec.Maps[lightMapStRing].MaxEntries = stackRingBytes
	set := func(name string, value any) error { return spec.Variables[name].Set(value) }
	return errors.Join(
		set(lightVarRingBytes, uint64(stackRingBytes)), set(lightVarWhy, true),
		set(lightVarWhyToldApart, o.Why.OnlyToldApart), set(lightVarWhyBlockNs, o.Why.BlockNS),
		set(lightVarWhyWalks, max(2, o.Why.Walks)),
	)
}

// Budget returns what a core has done with its stacks so far.
func (l *Light) Budget(cpu int) (b StackBudget, err error) {
	if err := l.budgets.Lookup(uint32(cpu), &b); err != nil {
		return b, fmt.Errorf("read how many stacks core %d took: %w", cpu, err)
	}
	return b, nil
}
