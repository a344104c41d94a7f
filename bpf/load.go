package bpf

import (
	"errors"
	"fmt"
	"math/bits"
	"runtime"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/features"
	"golang.org/x/sys/unix"
)

// The layout of the maps' elements, as the C side has it.
type (
	CPUState     = slicetraceCpuState
	Sums         = slicetraceSums
	Snapshot     = slicetraceSnapshot
	ClassHists   = slicetraceClassHists
	Hist         = slicetraceHist
	ExitedCounts = slicetraceExitedCounts
	WatchedTask  = slicetraceWatchedTask
	TaskExit     = slicetraceTaskExit
	Events       = slicetraceEvents
	Event        = slicetraceEvent
	EventBuf     = slicetraceEventBuf
	TaskName     = slicetraceTaskName
	FinalState   = slicetraceFinalState
	Wanted       = slicetraceWanted
	Places       = slicetracePlaces
	Globals      = slicetraceGlobals
)

// What kind of task runs on a core: the values of CPUState.Occupant and the indexes of
// CPUState.OccupiedNs.
const (
	OccupantIdle    = slicetraceOccupantOCCUPANT_IDLE
	OccupantWatched = slicetraceOccupantOCCUPANT_WATCHED
	OccupantOther   = slicetraceOccupantOCCUPANT_OTHER
)

// What becomes of a watched task's children, and of theirs, when they end: the values of
// WatchedTask.Children.
const (
	FollowNone = uint8(slicetraceFollowFOLLOW_NONE)
	// FollowListed sends a TaskExit for each into Ring.
	FollowListed = uint8(slicetraceFollowFOLLOW_LISTED)
	// FollowCounted adds each to Sums.Exited.
	FollowCounted = uint8(slicetraceFollowFOLLOW_COUNTED)
)

// What a record in Ring is: its first word.
const (
	RecordTaskExit = uint32(slicetraceRecordTypeRECORD_TASK_EXIT)
	RecordEvents   = uint32(slicetraceRecordTypeRECORD_EVENTS)
	RecordTaskName = uint32(slicetraceRecordTypeRECORD_TASK_NAME)
)

// The bits of Event.Flags. Without EventWakeup the event is a switch. EventPickValid and
// EventSwitchValid tell which phases of the switch before it were timed.
const (
	EventWakeup      = uint8(slicetraceEventFlagEVENT_WAKEUP)
	EventPickValid   = uint8(slicetraceEventFlagEVENT_PICK_VALID)
	EventSwitchValid = uint8(slicetraceEventFlagEVENT_SWITCH_VALID)
	EventPreempt     = uint8(slicetraceEventFlagEVENT_PREEMPT)
)

// NoCPU is WatchedTask.Cpu of a task that has not run since it was watched.
const NoCPU = ^uint16(0)

// ErrTooOld says that the kernel lacks what every figure needs.
var ErrTooOld = errors.New("kernel is too old, it lacks the eBPF helper bpf_task_pt_regs: " +
	"use Linux 5.15 or later")

// Options sizes the maps.
type Options struct {
	// Cores is the highest number that a core can have, plus one. Online is how many are
	// online, from which the size of what they share follows; 0 means Cores.
	Cores, Online int
	// Tasks is how many tasks can be watched at once.
	Tasks int
	// NoPick and NoSwitch leave a phase untimed, so that every switch costs less.
	NoPick, NoSwitch bool
	// Avoid are hooks that must not bound a phase, as if the kernel lacked them.
	Avoid HookSet
	// Record sends every switch and wakeup, and tasks' names, into Ring.
	Record bool
	// Why takes stacks, if it is set.
	Why *WhyOptions
}

// Objects are the loaded maps and programs.
type Objects struct {
	// CPUs and Sums hold a CPUState and a Sums for each core, Tasks a WatchedTask for each slot,
	// and SnapshotBuf the Snapshot that the program Snapshot has taken.
	CPUs, Sums, Tasks, SnapshotBuf *ebpf.Map
	// Ring holds records whose first word says what they are.
	Ring *ebpf.Map
	// EventBufs holds an EventBuf for each core where Options.Record is set.
	EventBufs *ebpf.Map
	// Globals holds a Globals, and Places a Places.
	Globals, Places *ebpf.Variable
	// Snapshot is never attached: it is run on the core whose counts it is to copy.
	Snapshot *ebpf.Program
	// Pick is the hook at the start of the pick phase, and Switch the one at the end of the
	// switch phase. Their names are "" where the kernel has no such hook, or it was left out.
	// They are to be attached first, so that no switch is counted before its phases are timed.
	Pick, Switch Hook
	// Hooks are the others, in the order in which they are to be attached: those that record
	// names come first, up to sched_wakeup_new, and sched_switch is the last.
	Hooks []Hook
	// Stacks is nil unless they were asked for.
	Stacks *Stacks
	// FentryRefused is why the kernel took no fentry program; nil if it did, or was not asked.
	FentryRefused error

	collection         *ebpf.Collection
	free, ended, final *ebpf.Map
	watch              *ebpf.Program  // of an iterator over all tasks
	wanted             *ebpf.Variable // which of them it watches
}

// Load loads the programs that this kernel supports. They are not attached. Close releases
// them.
//
// The error is ErrTooOld, or wraps what the kernel refused.
func Load(kernel *Kernel, o Options) (*Objects, error) {
	objs, err := loadOnce(kernel, o)
	if err == nil {
		return objs, nil
	}
	if objs == nil || objs.Pick.Kind != Fentry && objs.Switch.Kind != Fentry {
		return nil, err
	}
	// Some kernels take no fentry programs, and those with other reasons to refuse give them again.
	o.Avoid |= FentryHooks
	refusal := err
	if objs, err = loadOnce(kernel, o); err != nil {
		return nil, err
	}
	objs.FentryRefused = refusal
	return objs, nil
}

// loadOnce returns objects that are not loaded if there is an error after hooks were chosen.
func loadOnce(kernel *Kernel, o Options) (*Objects, error) {
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
	back, err := chooseWhy(spec, kernel, o.Avoid, o.Why, o.Cores, o.Tasks)
	if err != nil {
		return nil, err
	}
	if o.Why != nil {
		objs.Hooks = append([]Hook{back}, objs.Hooks...)
	}
	// Like the argument, exchanges of values in one step came to arm64 with 5.18.
	since518, err := kernel.tellsPrevState()
	if err != nil {
		return nil, err
	}
	set := func(name string, value any) error { return spec.Variables[name].Set(value) }
	err = errors.Join(
		kernel.adapt(set), set(slicetraceVarSwitchEndsTimed, objs.Switch.Name != ""),
		set(slicetraceVarExchanges, since518 || runtime.GOARCH != "arm64"),
	)
	if err != nil {
		return nil, err
	}
	objs.collection, err = ebpf.NewCollectionWithOptions(spec, kernel.Options())
	if err != nil {
		return objs, refused(err)
	}
	objs.assign()
	if err := makePlaces(objs.collection, o.Tasks); err != nil {
		objs.Close()
		return nil, err
	}
	return objs, nil
}

// refused returns ErrTooOld instead of an old kernel's error, which may be anything: such
// a kernel counts maps against RLIMIT_MEMLOCK, for example.
func refused(err error) error {
	if errors.Is(features.HaveProgramHelper(ebpf.RawTracepoint, asm.FnTaskPtRegs), ebpf.ErrNotSupported) {
		return ErrTooOld
	}
	return fmt.Errorf("load eBPF programs: %w", err)
}

// linearBytes is the size up to which the kernel keeps a map in its linear mapping, whose
// large pages cause the fewest TLB misses.
const linearBytes = 32 << 10

func size(spec *ebpf.CollectionSpec, o Options) error {
	if o.Cores < 1 || o.Tasks < 1 {
		return fmt.Errorf("size maps: %d cores and %d tasks: both must be positive", o.Cores, o.Tasks)
	}
	if o.Cores > int(NoCPU) {
		return fmt.Errorf("size maps: %d cores: at most %d can be told apart", o.Cores, NoCPU)
	}
	spec.Maps[slicetraceMapStCpus].MaxEntries = uint32(o.Cores)
	spec.Maps[slicetraceMapStSums].MaxEntries = uint32(o.Cores)
	for _, name := range []string{
		slicetraceMapStTasks, slicetraceMapStFree, slicetraceMapStEnded, slicetraceMapStFinal,
	} {
		spec.Maps[name].MaxEntries = uint32(o.Tasks)
	}
	if records := spec.Maps[slicetraceMapStTasks]; uint32(o.Tasks) > linearBytes/records.ValueSize {
		// The map has pages of its own in any case. Mapped, they begin at a cache line, and
		// no record shares a line with its neighbour, whose task runs on another core.
		records.Flags |= unix.BPF_F_MMAPABLE
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

// cellsPerValue is how many cells of the index are in one value of its map.
const cellsPerValue = len(slicetraceIndex{}.Cell)

// sizeIndex makes at least four times as many cells as tasks, so that few tasks, one in
// eight at random, find their cell taken. st_collisions has room for all of them.
func sizeIndex(spec *ebpf.CollectionSpec, tasks uint32) error {
	cells := max(uint32(1)<<bits.Len32(4*tasks-1), uint32(cellsPerValue))
	spec.Maps[slicetraceMapStIndex].MaxEntries = cells / uint32(cellsPerValue)
	spec.Maps[slicetraceMapStCollisions].MaxEntries = max(64, tasks)
	if err := spec.Variables[slicetraceVarIndexMask].Set(cells - 1); err != nil {
		return fmt.Errorf("set number of cells: %w", err)
	}
	return nil
}

// recordBytes returns the size of the ring when recording: for each core, the events of
// 0.4 s at half a million a second, which is more than a core of 2026 reaches.
func recordBytes(cores int) uint32 {
	bytes := uint32(16 << 20)
	for bytes < uint32(min(cores, 32))<<23 {
		bytes *= 2
	}
	return bytes
}

// sizeRing makes room for a recording, if one is made.
func sizeRing(spec *ebpf.CollectionSpec, o Options) error {
	buffers, ring := spec.Maps[slicetraceMapStEventBufs], spec.Maps[slicetraceMapStRing]
	online := o.Online
	if online == 0 {
		online = o.Cores
	}
	if !o.Record {
		// The programs then never reach the code that uses the buffers, and it is not verified.
		stub(buffers)
		if online == 1 { // half as many tasks end there
			ring.MaxEntries /= 2
		}
		if o.Why != nil { // for the records with partners, about as many as without
			ring.MaxEntries *= 8
		}
	} else {
		buffers.MaxEntries = uint32(o.Cores)
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

// stub makes a map as small as possible.
func stub(m *ebpf.MapSpec) { m.ValueSize, m.Flags, m.Key, m.Value = 8, 0, nil, nil }

func (objs *Objects) assign() {
	c := objs.collection
	objs.watch, objs.wanted = c.Programs[slicetraceProgStWatch], c.Variables[slicetraceVarStWanted]
	objs.CPUs = c.Maps[slicetraceMapStCpus]
	objs.Sums = c.Maps[slicetraceMapStSums]
	objs.SnapshotBuf = c.Maps[slicetraceMapStSnapshotBuf]
	objs.Tasks = c.Maps[slicetraceMapStTasks]
	objs.free = c.Maps[slicetraceMapStFree]
	objs.ended = c.Maps[slicetraceMapStEnded]
	objs.final = c.Maps[slicetraceMapStFinal]
	objs.Ring = c.Maps[slicetraceMapStRing]
	objs.EventBufs = c.Maps[slicetraceMapStEventBufs]
	objs.Globals, objs.Places = c.Variables[slicetraceVarStGlobals], c.Variables[slicetraceVarStPlaces]
	objs.Snapshot = c.Programs[slicetraceProgStSnapshot]
	objs.Stacks = stacksOf(c)
	for i := range objs.Hooks {
		objs.Hooks[i].Program = c.Programs[objs.Hooks[i].program]
	}
	objs.Pick.Program, objs.Switch.Program = c.Programs[objs.Pick.program], c.Programs[objs.Switch.program]
}

// Memory returns how many bytes of kernel memory the maps take.
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

// Close unloads what Load loaded. Attached programs stay until their links are closed.
func (objs *Objects) Close() { objs.collection.Close() }
