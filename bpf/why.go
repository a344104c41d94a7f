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
	Partners    = slicetracePartners
	PartnerList = slicetracePartnerList
	PartnerSum  = slicetracePartnerSum
	Partner     = slicetracePartner
	PairedExit  = slicetracePairedExit
)

// StackBytes is the size of a StackSample before its stack, which is as long as it says.
const StackBytes = int(unsafe.Offsetof(StackSample{}.Stack))

// WhyOptions say which stacks are taken.
type WhyOptions struct {
	// BlockNS is the length from which absences from a core are looked at.
	BlockNS uint64
	// Walks is about how many stacks one core takes in a tenth of a second.
	Walks uint64
	// OnlyToldApart leaves out all processes but those of TellApart. It is for the light way; the full one
	// leaves out all tasks but those that are watched.
	OnlyToldApart bool
}

// ErrNoReturns means that nothing shows when a task is back on a core.
var ErrNoReturns = errors.New("stacks cannot be taken: this kernel has neither the tracepoint sched_exit_tp" +
	" (Linux 6.15) nor kprobes on finish_task_switch")

// stackRingBytes has room for the stacks of a second of one core, at 9 KiB each: the reader may be reading the
// tables of a large program meanwhile.
const stackRingBytes = 16 << 20

// taskReturns are the ways to see that a task has taken its core.
var taskReturns = []way{
	{Tracepoint, "sched_exit_tp", lightProgStWhyExit, PhaseTracepoints},
	{Kprobe, "finish_task_switch", lightProgStWhyKprobe, KprobeHooks},
}

// Stacks are what is read where stacks are taken.
type Stacks struct {
	// Ring has the StackSamples.
	Ring *ebpf.Map
	// Partners holds a Partners for each slot, and can be mapped into memory.
	Partners *ebpf.Map
	budgets  *ebpf.Map // a StackBudget for each core
}

// Budget returns what a core has done with its stacks so far.
func (s *Stacks) Budget(cpu int) (b StackBudget, err error) {
	if err := s.budgets.Lookup(uint32(cpu), &b); err != nil {
		return b, fmt.Errorf("read how many stacks core %d took: %w", cpu, err)
	}
	return b, nil
}

// stacksOf returns nil if no stacks are taken.
func stacksOf(c *ebpf.Collection) *Stacks {
	if c.Maps[lightMapStStacks] == nil {
		return nil
	}
	return &Stacks{
		Ring: c.Maps[lightMapStStacks], Partners: c.Maps[lightMapStPartners], budgets: c.Maps[lightMapStBudgets],
	}
}

// chooseWhy removes the programs that take stacks, or sizes what they use and returns their first hook.
func chooseWhy(
	spec *ebpf.CollectionSpec, kernel *Kernel, avoid HookSet, why *WhyOptions, cores, tasks int,
) (back Hook, err error) {
	if why != nil {
		back = choose(taskReturns, kernel, avoid, symbolFinder("finish_task_switch"))
		if back.Name == "" {
			return back, ErrNoReturns
		}
	}
	for _, w := range taskReturns {
		if w.program != back.program {
			delete(spec.Programs, w.program)
		}
	}
	if why == nil {
		for _, name := range []string{lightMapStSamples, lightMapStWakers, lightMapStSampled, lightMapStStacks} {
			delete(spec.Maps, name)
		}
		// No program then reaches the code that uses it, and that is not verified.
		stub(spec.Maps[lightMapStPartners])
		return back, nil
	}
	spec.Maps[lightMapStBudgets].MaxEntries = uint32(cores)
	spec.Maps[lightMapStSamples].MaxEntries = uint32(cores)
	spec.Maps[lightMapStWakers].MaxEntries = uint32(tasks)
	spec.Maps[lightMapStPartners].MaxEntries = uint32(tasks)
	spec.Maps[lightMapStStacks].MaxEntries = stackRingBytes
	set := func(name string, value any) error { return spec.Variables[name].Set(value) }
	return back, errors.Join(
		set(lightVarWhyRingBytes, uint64(stackRingBytes)), set(lightVarWhy, true),
		set(lightVarWhyBlockNs, why.BlockNS), set(lightVarWhyWalks, max(2, why.Walks)),
	)
}
