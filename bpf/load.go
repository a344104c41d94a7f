package bpf

import (
	"errors"
	"fmt"
	"math/bits"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/features"
	"golang.org/x/sys/unix"
)

// The layout of the maps' elements, as the C side has it.
type (
	Core      = slicetraceCore
	Sums      = slicetraceSums
	Snapshot  = slicetraceSnapshot
	ClassPage = slicetraceClassPage
	Spread    = slicetraceSpread
	Lives     = slicetraceLives
	Worker    = slicetraceWorker
	Obituary  = slicetraceObituary
	Events    = slicetraceEvents
	Event     = slicetraceEvent
	Raw       = slicetraceRaw
	TaskName  = slicetraceTaskName
	Wanted    = slicetraceWanted
	Places    = slicetracePlaces
	Totals    = slicetraceTotals
)

// Who holds a core: the values of Core.Holder and the index of Core.Time.
const (
	HolderIdle = iota
	HolderWorker
	HolderOther
)

// What becomes of a watched task's children, and theirs, when they end: the
// values of Worker.Children.
const (
	FollowNone = iota
	// FollowListed has each one's record sent into Ring.
	FollowListed
	// FollowCounted has each one added to Sums.Lives.
	FollowCounted
)

// What a record in Ring is: its first word.
const (
	RecordObituary = iota
	RecordEvents
	RecordTask
)

// The bits of Event.Flags. Without EventWakeup it is a switch; EventPicked and
// EventEnded say which phases of the switch before it were timed.
const (
	EventWakeup = 1 << iota
	EventPicked
	EventEnded
	EventPreempt
)

// NoCPU is Worker.Cpu of a task that has not run since it was watched.
const NoCPU = ^uint16(0)

// ErrTooOld says that the kernel lacks what every figure needs.
var ErrTooOld = errors.New("kernel is too old, it lacks the eBPF helper bpf_task_pt_regs: use Linux 5.15 or later")

// Options sizes the maps.
type Options struct {
	// Cores is the highest number that a core can have plus one. Online is how many
	// are online, after which what they share is sized; 0 means Cores.
	Cores, Online int
	// Tasks is how many tasks can be watched at once.
	Tasks int
	// NoPick and NoSwitch leave a phase untimed: its hook makes every switch dearer.
	NoPick, NoSwitch bool
	// NoTracepointExit leaves out a hook that the kernel has, to exercise the fallback.
	NoTracepointExit bool
	// Record sends every switch and wakeup, and tasks' names, into the ring.
	Record bool
}

// Hook is a program and the place where it is to be attached.
type Hook struct {
	// Name is the tracepoint's, or "kprobe:" and the kernel function's.
	Name    string
	Program *ebpf.Program
	// Symbol is the kernel function of a kprobe, empty for a tracepoint.
	Symbol string
}

// Objects are the loaded maps and programs.
type Objects struct {
	Cores, Sums, Shadow, Workers *ebpf.Map
	// Ring holds records whose first word says what they are.
	Ring *ebpf.Map
	// Raw holds a Raw a core where Options.Record is set.
	Raw *ebpf.Map
	// Totals holds a Totals, and Places a Places.
	Totals, Places *ebpf.Variable
	Snapshot       *ebpf.Program // fills Shadow, which holds a Snapshot
	// Hooks are in the order in which they are to be attached: those that record names
	// come first, up to sched_wakeup_new, and sched_switch last, so that no switch is
	// counted before its phases can be timed.
	Hooks []Hook
	// Pick and Switch name the hook that bounds each phase, "" where the kernel has none
	// or it was left out.
	Pick, Switch string

	collection        *ebpf.Collection
	free, ended, last *ebpf.Map
	watch             *ebpf.Program  // of an iterator over all tasks
	wanted            *ebpf.Variable // which of them it watches
}

// hookPrograms are the tracepoints in attaching order. The switch phase's end
// has no place here since it depends on the kernel.
var hookPrograms = [...]struct{ tracepoint, program string }{
	{"hrtimer_expire_exit", slicetraceProgStTickEnd},
	{"hrtimer_expire_entry", slicetraceProgStTick},
	{"sched_process_fork", slicetraceProgStFork},
	{"sched_process_exec", slicetraceProgStExec},
	{"task_rename", slicetraceProgStRename},
	{"sched_process_exit", slicetraceProgStProcessExit},
	{"sched_wakeup_new", slicetraceProgStWakeupNew},
	{"sched_wakeup", slicetraceProgStWakeup},
	{"sched_entry_tp", slicetraceProgStEntry},
	{"sched_exit_tp", slicetraceProgStExit},
	{"sched_switch", slicetraceProgStSwitch},
}

// Load brings the programs that this kernel supports into it, attached to
// nothing. Close releases them.
//
// The error is ErrTooOld, or wraps what the kernel refused.
func Load(kernel *Kernel, o Options) (*Objects, error) {
	spec, err := loadSlicetrace()
	if err != nil {
		return nil, err
	}
	if err := checkTypes(spec.Types, kernel.types); err != nil {
		return nil, err
	}
	objs := &Objects{}
	if err := objs.chooseHooks(spec, kernel, o); err != nil {
		return nil, err
	}
	if err := size(spec, o); err != nil {
		return nil, err
	}
	if err := kernel.adapt(func(name string, value any) error { return spec.Variables[name].Set(value) }); err != nil {
		return nil, err
	}
	objs.collection, err = ebpf.NewCollectionWithOptions(spec, kernel.options())
	if err != nil {
		return nil, refused(err)
	}
	objs.assign()
	if err := makePlaces(objs.collection, o.Tasks); err != nil {
		objs.Close()
		return nil, err
	}
	return objs, nil
}

// refused returns ErrTooOld instead of what an old kernel says, which may be
// anything: it counts maps against RLIMIT_MEMLOCK, for one.
func refused(err error) error {
	if errors.Is(features.HaveProgramHelper(ebpf.RawTracepoint, asm.FnTaskPtRegs), ebpf.ErrNotSupported) {
		return ErrTooOld
	}
	return fmt.Errorf("load eBPF programs: %w", err)
}

// chooseHooks removes from spec the programs whose hook this kernel lacks and
// notes the order of the others.
func (objs *Objects) chooseHooks(spec *ebpf.CollectionSpec, kernel *Kernel, o Options) error {
	for _, h := range hookPrograms {
		if kernel.hasTracepoint(h.tracepoint) &&
			!(h.program == slicetraceProgStRename && !o.Record) &&
			!(h.program == slicetraceProgStExit && (o.NoSwitch || o.NoTracepointExit)) &&
			!(h.program == slicetraceProgStEntry && o.NoPick) {
			continue
		}
		if h.program == slicetraceProgStSwitch {
			return fmt.Errorf("kernel has no tracepoint %s with BTF type information", h.tracepoint)
		}
		delete(spec.Programs, h.program)
	}
	if spec.Programs[slicetraceProgStEntry] != nil {
		objs.Pick = "sched_entry_tp"
	}
	symbol := ""
	if spec.Programs[slicetraceProgStExit] != nil {
		objs.Switch = "sched_exit_tp"
	} else if !o.NoSwitch {
		if symbol = findSymbol("finish_task_switch"); symbol != "" && hasKprobes() {
			objs.Switch = "kprobe:" + symbol
		}
	}
	if objs.Switch != "kprobe:"+symbol {
		delete(spec.Programs, slicetraceProgStFinish)
	}
	for _, h := range hookPrograms {
		if h.program == slicetraceProgStSwitch && spec.Programs[slicetraceProgStFinish] != nil {
			objs.Hooks = append(objs.Hooks, Hook{Name: objs.Switch, Symbol: symbol})
		}
		if spec.Programs[h.program] != nil {
			objs.Hooks = append(objs.Hooks, Hook{Name: h.tracepoint})
		}
	}
	return nil
}

// linearBytes is up to where the kernel keeps a map in its linear mapping, whose large
// pages cost the fewest misses of the TLB.
const linearBytes = 32 << 10

func size(spec *ebpf.CollectionSpec, o Options) error {
	if o.Cores < 1 || o.Tasks < 1 {
		return fmt.Errorf("size maps: %d cores and %d tasks: both must be positive", o.Cores, o.Tasks)
	}
	if o.Cores > int(NoCPU) {
		return fmt.Errorf("size maps: %d cores: at most %d can be told apart", o.Cores, NoCPU)
	}
	spec.Maps[slicetraceMapStCores].MaxEntries = uint32(o.Cores)
	spec.Maps[slicetraceMapStSums].MaxEntries = uint32(o.Cores)
	for _, name := range []string{slicetraceMapStWorkers, slicetraceMapStFree, slicetraceMapStEnded, slicetraceMapStLast} {
		spec.Maps[name].MaxEntries = uint32(o.Tasks)
	}
	if workers := spec.Maps[slicetraceMapStWorkers]; uint32(o.Tasks) > linearBytes/workers.ValueSize {
		// Pages of its own in any case. Then they begin where a cache line does, and no
		// record shares a line with its neighbour, whose task runs on another core.
		workers.Flags |= unix.BPF_F_MMAPABLE
	}
	if err := spec.Variables[slicetraceVarMostTasks].Set(uint32(o.Tasks)); err != nil {
		return fmt.Errorf("set number of tasks: %w", err)
	}
	if err := sizeIndex(spec, uint32(o.Tasks)); err != nil {
		return err
	}
	if err := sizeRing(spec, o); err != nil {
		return err
	}
	return nil
}

// cellsAPart is how many cells of the index lie in one value of its map.
const cellsAPart = len(slicetraceIndex{}.Cell)

// sizeIndex makes at least four times as many cells as tasks, so that few tasks find
// their cell taken, at random one in eight; and room for all should they do.
func sizeIndex(spec *ebpf.CollectionSpec, tasks uint32) error {
	cells := max(uint32(1)<<bits.Len32(4*tasks-1), uint32(cellsAPart))
	spec.Maps[slicetraceMapStIndex].MaxEntries = cells / uint32(cellsAPart)
	spec.Maps[slicetraceMapStOverflow].MaxEntries = max(64, tasks)
	if err := spec.Variables[slicetraceVarIndexMask].Set(cells - 1); err != nil {
		return fmt.Errorf("set number of cells: %w", err)
	}
	return nil
}

// recordBytes is the size of the ring when recording: for each core what comes in
// 0.4 s at half a million events a second, and more than a core of 2026 reaches.
func recordBytes(cores int) uint32 {
	bytes := uint32(16 << 20)
	for bytes < uint32(min(cores, 32))<<23 {
		bytes *= 2
	}
	return bytes
}

// sizeRing makes room for a recording, or none.
func sizeRing(spec *ebpf.CollectionSpec, o Options) error {
	raw, ring := spec.Maps[slicetraceMapStRaw], spec.Maps[slicetraceMapStRing]
	online := o.Online
	if online == 0 {
		online = o.Cores
	}
	if !o.Record {
		// The programs' use of it is dead code, which is not checked.
		raw.ValueSize, raw.Key, raw.Value = 8, nil, nil
		if online == 1 { // where half as many tasks end
			ring.MaxEntries /= 2
		}
	} else {
		raw.MaxEntries = uint32(o.Cores)
		ring.MaxEntries = recordBytes(online)
	}
	err := errors.Join(
		spec.Variables[slicetraceVarRecording].Set(o.Record),
		spec.Variables[slicetraceVarRingBytes].Set(uint64(ring.MaxEntries)),
	)
	if err != nil {
		return fmt.Errorf("size the ring buffer: %w", err)
	}
	return nil
}

func (objs *Objects) assign() {
	c := objs.collection
	objs.watch, objs.wanted = c.Programs[slicetraceProgStWatch], c.Variables[slicetraceVarStWanted]
	objs.Cores = c.Maps[slicetraceMapStCores]
	objs.Sums = c.Maps[slicetraceMapStSums]
	objs.Shadow = c.Maps[slicetraceMapStShadow]
	objs.Workers = c.Maps[slicetraceMapStWorkers]
	objs.free, objs.ended, objs.last = c.Maps[slicetraceMapStFree], c.Maps[slicetraceMapStEnded], c.Maps[slicetraceMapStLast]
	objs.Ring = c.Maps[slicetraceMapStRing]
	objs.Raw = c.Maps[slicetraceMapStRaw]
	objs.Totals, objs.Places = c.Variables[slicetraceVarStTotals], c.Variables[slicetraceVarStPlaces]
	objs.Snapshot = c.Programs[slicetraceProgStSnapshot]
	for i := range objs.Hooks {
		h := &objs.Hooks[i]
		h.Program = c.Programs[slicetraceProgStFinish]
		for _, p := range hookPrograms {
			if p.tracepoint == h.Name {
				h.Program = c.Programs[p.program]
			}
		}
	}
}

// Memory returns the bytes of kernel memory that the maps take.
func (objs *Objects) Memory() (uint64, error) {
	var sum uint64
	for name, m := range objs.collection.Maps {
		info, err := m.Info()
		if err != nil {
			return 0, fmt.Errorf("read size of map %s: %w", name, err)
		}
		bytes, _ := info.Memlock()
		sum += bytes
	}
	return sum, nil
}

// Close unloads what Load loaded. Attached programs live on until their links
// are closed.
func (objs *Objects) Close() { objs.collection.Close() }
