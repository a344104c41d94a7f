package bpf

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// What the light way keeps beside what it shares with the full one, as the C side has it.
type (
	TaskFacts = lightTaskFacts
	Dists     = lightDists
	EndedKey  = lightEndedKey
	EndedSums = lightEndedSums
	CorePlace = lightCorePlace
	ClockPair = lightClockPair
	Visited   = lightVisited
)

// CorePage is what ReadCore reads. CPU.Log is not filled in.
type CorePage struct {
	CPU CPUState
	// OccupantOnCPU and OccupantBorn are of the watched task that runs on the core, otherwise 0.
	OccupantOnCPU, OccupantBorn uint64
	Order                       uint64 // of the programs' own
}

// The values of TaskFacts.Sampled.
const (
	SampledNever = uint64(lightSampledSAMPLED_NEVER)
	SampledOnce  = uint64(lightSampledSAMPLED_ONCE)
	SampledEnded = uint64(lightSampledSAMPLED_ENDED)
)

// LightPart is a set of parts of the program on sched_switch.
type LightPart = lightLightPart

// The parts. Without PartTasks there are none of the others but PartQueue and PartClass, and without
// PartHists there is no PartDists.
const (
	PartTasks = lightLightPartPART_TASKS
	PartCause = lightLightPartPART_CAUSE
	PartDists = lightLightPartPART_DISTS
	PartHists = lightLightPartPART_HISTS
	PartMoves = lightLightPartPART_MOVES
	PartQueue = lightLightPartPART_QUEUE
	PartClass = lightLightPartPART_CLASS
)

// The indexes of WatchedTask.Moves, EndedSums.Moves and CPUState.Arrivals, which are of Moves counts: how far
// a task has come, and how many of these migrations were at wakeups.
const (
	ToSibling = int(lightDistanceTO_SIBLING)
	ToCache   = int(lightDistanceTO_CACHE)
	ToNode    = int(lightDistanceTO_NODE)
	ToRemote  = int(lightDistanceTO_REMOTE)
	Woken     = int(lightDistanceWOKEN)
	Moves     = int(lightDistanceMOVES)
)

// FirstStep and StepBuckets relate the steps of Dists to the buckets of a histogram: step i holds the
// StepBuckets buckets from (FirstStep + i) × StepBuckets on, and step 0 also those below.
const (
	FirstStep   = 8
	StepBuckets = 8
)

// LightOptions size the maps of the light way, and say what it uses.
type LightOptions struct {
	// Cores, Online, Tasks and Avoid are as in Options.
	Cores, Online, Tasks int
	Avoid                HookSet
	// OwnTimes makes the programs read a clock and take stamps of wakeups, as where the kernel keeps no
	// times of its own.
	OwnTimes bool
	// NoExchanges does without values that are exchanged in one step, which kernels before 5.18 cannot on
	// arm64. There LoadLight sets it itself.
	NoExchanges bool
	// LeftOut are parts of the program on sched_switch to be left out. Only benchmarks do that: the figures
	// are wrong then.
	LeftOut LightPart
	// Why takes stacks, if it is set.
	Why *WhyOptions
	// CPUGroups takes tasks' groups from the CPU controller's own hierarchy, of version 1.
	CPUGroups bool
}

// Light are the loaded maps and programs of the light way: every task is watched from the moment on at
// which it takes a core, by one program at each switch.
type Light struct {
	// CPUs and Sums hold a CPUState and a Sums for each core; Tasks, Facts and Dists a WatchedTask, a
	// TaskFacts and a Dists for each slot. The last three can be mapped into memory.
	CPUs, Sums, Tasks, Facts, Dists *ebpf.Map
	// Globals holds a Globals, Places a Places, and Clock a ClockPair. Timing is a uint32 that is not 0
	// while both Pick and Switch are attached.
	Globals, Places, Clock, Timing *ebpf.Variable
	// Begin and Reader are never attached. Begin is run on each core when the hooks are attached, and
	// Reader on the thread at whose switches Clock is to be set.
	Begin, Reader *ebpf.Program
	// Pick and Switch are attached only while the phases of switches are timed; Switch first.
	Pick, Switch Hook
	// Hooks are the others, in the order in which they are to be attached.
	Hooks []Hook
	// Stacks is nil unless they were asked for.
	Stacks *Stacks
	// KernelTimes says that all times are of the run queues' clocks, and waits the kernel's own.
	// Otherwise they are of CLOCK_MONOTONIC.
	KernelTimes bool

	collection         *ebpf.Collection
	free, ended, final *ebpf.Map
	endedSums          [2]*ebpf.Map   // EndedSums by EndedKey; see EndedReader
	endedTurn          *ebpf.Variable // a uint32: the index of the one that is in use
	page               *ebpf.Map      // what readPage leaves
	readPage, visit    *ebpf.Program
	visitFor           *ebpf.Variable
	misplaced          *ebpf.Variable
}

// lightHooks are the light way's tracepoints, in the order of attaching.
var lightHooks = [...]hookProgram{
	{"hrtimer_expire_exit", lightProgStTickEnd},
	{"hrtimer_expire_entry", lightProgStTick},
	{"sched_process_exec", lightProgStExec},
	{"task_rename", lightProgStRename},
	{"sched_wakeup_new", lightProgStWakeupNew},
	{"sched_wakeup", lightProgStWakeup},
	{"sched_waking", lightProgStWhyWaking},
	{"sched_switch", lightProgStLight},
}

// hasTimes reports whether the kernel keeps the times that the light way reads.
func (k *Kernel) hasTimes() bool {
	for _, f := range []struct{ of, field string }{
		{"sched_entity", "cfs_rq"}, {"cfs_rq", "rq"}, {"rq", "clock"},
		{"sched_info", "run_delay"}, {"sched_info", "last_queued"}, {"sched_info", "last_arrival"},
	} {
		found := false
		for _, t := range structsNamed(k.types, f.of) {
			_, ok := findMember(t, f.field)
			found = found || ok
		}
		if !found {
			return false
		}
	}
	return true
}

// LoadLight loads the light way's programs. They are not attached. Close releases them. The error is
// ErrTooOld, or wraps what the kernel refused.
func LoadLight(kernel *Kernel, o LightOptions) (*Light, error) {
	l, err := loadLightAvoiding(kernel, o)
	if err != nil && runtime.GOARCH == "arm64" && !o.NoExchanges {
		o.NoExchanges = true
		if old, again := loadLightAvoiding(kernel, o); again == nil {
			return old, nil
		}
	}
	return l, err
}

// loadLightAvoiding loads without fentry programs if the kernel refuses those.
func loadLightAvoiding(kernel *Kernel, o LightOptions) (*Light, error) {
	l, err := loadLightOnce(kernel, o)
	if err != nil && l != nil && (l.Pick.Kind == Fentry || l.Switch.Kind == Fentry) {
		o.Avoid |= FentryHooks
		l, err = loadLightOnce(kernel, o)
	}
	if err != nil {
		return nil, err
	}
	return l, nil
}

// loadLightOnce returns a Light that is not loaded if there is an error after hooks were chosen.
func loadLightOnce(kernel *Kernel, o LightOptions) (*Light, error) {
	spec, err := loadLight()
	if err != nil {
		return nil, err
	}
	if err := checkTypes(spec.Types, kernel.types); err != nil {
		return nil, err
	}
	l := &Light{KernelTimes: kernel.hasTimes() && !o.OwnTimes}
	l.Pick, l.Switch = chooseBounds(spec, kernel, o.Avoid, true, true)
	wanted := func(h hookProgram) bool {
		switch h.program {
		case lightProgStWakeup, lightProgStWakeupNew:
			return !l.KernelTimes
		case lightProgStWhyWaking:
			return o.Why != nil
		}
		return true
	}
	if l.Hooks, err = chooseTracepoints(spec, kernel, lightHooks[:], wanted); err != nil {
		return nil, err
	}
	if err := size(spec, Options{Cores: o.Cores, Online: o.Online, Tasks: o.Tasks}); err != nil {
		return nil, err
	}
	back, err := chooseWhy(spec, kernel, o.Avoid, o.Why, o.Cores, o.Tasks)
	if err != nil {
		return nil, err
	}
	if o.Why != nil {
		l.Hooks = append([]Hook{back}, l.Hooks...)
	}
	spec.Maps[lightMapStCorePlaces].MaxEntries = uint32(o.Cores)
	spec.Maps[lightMapStFacts].MaxEntries = uint32(o.Tasks)
	spec.Maps[lightMapStDists].MaxEntries = uint32(o.Tasks)
	spec.Maps[lightMapStTasks].Flags |= unix.BPF_F_MMAPABLE
	set := func(name string, value any) error { return spec.Variables[name].Set(value) }
	err = errors.Join(
		kernel.adapt(set), set(lightVarKernelTimes, l.KernelTimes), set(lightVarCpuGroups, o.CPUGroups),
		set(lightVarExchanges, !o.NoExchanges), set(lightVarPartsLeftOut, o.LeftOut),
		set(lightVarWhyToldApart, o.Why != nil && o.Why.OnlyToldApart),
	)
	if err != nil {
		return nil, err
	}
	l.collection, err = ebpf.NewCollectionWithOptions(spec, kernel.Options())
	if err != nil {
		return l, refused(err)
	}
	l.assign()
	if err := makePlaces(l.collection, o.Tasks); err != nil {
		l.Close()
		return nil, err
	}
	for _, sums := range l.endedSums {
		if err := makeRestEntry(sums); err != nil {
			l.Close()
			return nil, err
		}
	}
	return l, nil
}

func (l *Light) assign() {
	c := l.collection
	l.CPUs, l.Sums = c.Maps[lightMapStCpus], c.Maps[lightMapStSums]
	l.Tasks, l.Facts, l.Dists = c.Maps[lightMapStTasks], c.Maps[lightMapStFacts], c.Maps[lightMapStDists]
	l.endedSums = [2]*ebpf.Map{c.Maps[lightMapStEndedEven], c.Maps[lightMapStEndedOdd]}
	l.endedTurn = c.Variables[lightVarStEndedTurn]
	l.free, l.ended, l.final = c.Maps[lightMapStFree], c.Maps[lightMapStEnded], c.Maps[lightMapStFinal]
	l.Globals, l.Places = c.Variables[lightVarStGlobals], c.Variables[lightVarStPlaces]
	l.Clock, l.Timing = c.Variables[lightVarStClock], c.Variables[lightVarStTiming]
	l.Begin, l.Reader = c.Programs[lightProgStBegin], c.Programs[lightProgStReader]
	l.page, l.readPage, l.visit = c.Maps[lightMapStPage], c.Programs[lightProgStRead], c.Programs[lightProgStVisit]
	l.visitFor, l.misplaced = c.Variables[lightVarStVisitFor], c.Variables[lightVarStMisplaced]
	l.Stacks = stacksOf(c)
	for i := range l.Hooks {
		l.Hooks[i].Program = c.Programs[l.Hooks[i].program]
	}
	l.Pick.Program, l.Switch.Program = c.Programs[l.Pick.program], c.Programs[l.Switch.program]
}

// PlaceCores tells the programs where each core is, by its number.
func (l *Light) PlaceCores(places []CorePlace) error {
	for cpu := range places {
		if err := l.collection.Maps[lightMapStCorePlaces].Put(uint32(cpu), places[cpu]); err != nil {
			return fmt.Errorf("say where core %d is: %w", cpu, err)
		}
	}
	return nil
}

// MostToldApart is how many processes TellApart takes.
const MostToldApart = 1024

// TellApart makes the threads of a process that end unseen have sums of their own, by EndedKey.Tgid.
func (l *Light) TellApart(tgid uint32) error {
	if err := l.collection.Maps[lightMapStToldApart].Put(tgid, uint32(1)); err != nil {
		return fmt.Errorf("tell the threads of process %d apart: %w", tgid, err)
	}
	return nil
}

// mostReads is how often a core is read anew, 32 times each, because it has switched meanwhile. A copy
// takes a small part of the time between two switches of the busiest core, so a few are enough.
const mostReads = 1000

// ReadCore copies a core's CPUState between two of its switches, without disturbing it, and what the
// record of the task that runs there holds.
func (l *Light) ReadCore(cpu int, page *CorePage) error {
	for range mostReads {
		ret, err := l.readPage.Run(&ebpf.RunOptions{Context: uint64(cpu)})
		if err == nil && ret == 1 {
			err = errors.New("it has no place")
		}
		if err == nil && ret == 0 {
			err = l.page.Lookup(uint32(0), page)
		}
		if err != nil {
			return fmt.Errorf("read core %d: %w", cpu, err)
		}
		if ret == 0 {
			return nil
		}
	}
	return fmt.Errorf("read core %d: it switched whenever it was read", cpu)
}

// mostPasses is how often Refresh looks at all tasks because one ended, and its place was given to another,
// in the very moment in which it was looked at.
const mostPasses = 8

// Refresh reads again what can change of tasks without an event: their users, groups and processes' names.
func (l *Light) Refresh() error {
	for range mostPasses {
		var before, after uint64
		if err := l.misplaced.Get(&before); err != nil {
			return err
		}
		if _, err := l.Visit(VisitChanges); err != nil {
			return err
		}
		if err := l.misplaced.Get(&after); err != nil || before == after {
			return err
		}
	}
	return nil
}

// What a visit is for: the sum of these.
const (
	VisitChanges  = uint32(lightVisitVISIT_CHANGES)
	VisitUnplaced = uint32(lightVisitVISIT_UNPLACED)
	VisitWaits    = uint32(lightVisitVISIT_WAITS)
)

// NoSlot is the Visited.Slot of a task that has no record.
const NoSlot = ^uint32(0)

// Visit looks at all tasks, and returns those that wait for a core or have no place, as far as that is
// asked for. Without the kernel's times it finds none.
func (l *Light) Visit(what uint32) (tasks []Visited, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("look at all tasks: %w", err)
		}
	}()
	if err := l.visitFor.Set(what); err != nil {
		return nil, err
	}
	iter, err := link.AttachIter(link.IterOptions{Program: l.visit})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, iter.Close()) }()
	pass, err := iter.Open()
	if err != nil {
		return nil, err
	}
	read, err := io.ReadAll(pass)
	if err := errors.Join(err, pass.Close()); err != nil {
		return nil, err
	}
	const size = int(unsafe.Sizeof(Visited{}))
	if len(read)%size != 0 {
		return nil, fmt.Errorf("%d bytes are not records of %d", len(read), size)
	}
	tasks = make([]Visited, len(read)/size)
	for i := range tasks {
		tasks[i] = *(*Visited)(unsafe.Pointer(&read[i*size]))
	}
	return tasks, nil
}

// NextEnded returns the slot of a task that ended after a reader had seen it, and what the kernel knew of
// it at its last switch. The slot's Tasks, Facts and Dists stay as they are until Free. The error is
// ebpf.ErrKeyNotExist if there is none.
func (l *Light) NextEnded() (slot uint32, final FinalState, err error) {
	if err := l.ended.LookupAndDelete(nil, &slot); err != nil {
		return 0, final, err
	}
	return slot, final, l.final.Lookup(slot, &final)
}

// Free gives back the slot that NextEnded returned.
func (l *Light) Free(slot uint32) error {
	if err := l.Tasks.Put(slot, WatchedTask{Born: 1}); err != nil {
		return fmt.Errorf("give back the place of a task that ended: %w", err)
	}
	return l.free.Put(nil, slot)
}

// Close unloads what LoadLight loaded. Attached programs stay until their links are closed.
func (l *Light) Close() { l.collection.Close() }
