package recording

import "time"

// Event is one thing that happened on one core: a switch, or a wakeup.
type Event struct {
	// TimeNS is CLOCK_MONOTONIC at the tracepoint, in nanoseconds.
	TimeNS int64
	Kind   Kind
	// Next is the tid that the core switched to, or that was woken; 0 is idle.
	Next int32

	// The rest is of a switch. Prev is the tid that the core switched from.
	Prev int32
	// SliceNS is how long prev had the core, -1 where its switch-in was not seen.
	SliceNS int64
	// PickNS and SwitchNS are the phases of this switch, -1 where not timed.
	PickNS, SwitchNS int64
	// Class is the index in report.Classes, or NoClass for a switch that the
	// counters leave out.
	Class uint8
	// EndedBy is the index in report.Causes of why prev's slice ended, or NoCause for
	// the idle task's.
	EndedBy uint8
	// State is prev's as the kernel prints it: 'R', 'S', 'D' and so on.
	State byte

	// CPU is the core that a woken task is to run on.
	CPU int32
}

// NoClass is the Class of a switch that no class counts, and NoCause the EndedBy
// of a slice that nothing has to end.
const (
	NoClass = 7
	NoCause = 7
)

// Kind tells events apart.
type Kind uint8

// The kinds.
const (
	Switch Kind = iota
	Wakeup
)

// Block is what one core did for a while, in the order of time.
type Block struct {
	CPU int
	// Lost is how many events of the core are missing before the first of these.
	Lost   uint64
	Events []Event
}

// Task is a name that a task had from a time on.
type Task struct {
	// TimeNS is CLOCK_MONOTONIC, 0 for a task that was there before.
	TimeNS int64
	// TID is the kernel's pid, TGID its process.
	TID, TGID int32
	// Parent is the tid of the task that created this one at that time. It is 0 for a task that
	// was there before or only has another name, and in recordings of older versions.
	Parent int32
	// Comm is the task's own word: hostile input, up to 15 bytes of anything.
	Comm string
}

// Header begins a recording.
type Header struct {
	// ID is the recording's own, which the report of its run has too, "" in one of an
	// older version.
	ID string `json:"id,omitempty"`
	// Tool names the program and version that recorded.
	Tool string `json:"tool"`
	// Created is the time at which recording began, and MonotonicNS the same
	// moment by CLOCK_MONOTONIC.
	Created     time.Time `json:"created"`
	MonotonicNS int64     `json:"monotonic_ns"`
	// CPUs are the cores watched, ascending.
	CPUs   []int  `json:"cpus"`
	Kernel string `json:"kernel"`
	// Hooks say which phases were timed, as in report.Capture.
	Pick   string `json:"pick"`
	Switch string `json:"switch"`
}

// Mark says when a trial ran, and whose slices are its workers'.
type Mark struct {
	Workload string `json:"workload"`
	Variant  string `json:"variant,omitempty"`
	Mode     string `json:"mode"`
	Round    int    `json:"round"`
	// StartNS and EndNS are CLOCK_MONOTONIC.
	StartNS int64 `json:"start_ns"`
	EndNS   int64 `json:"end_ns"`
	// Workers are tids in worker order.
	Workers []int32 `json:"workers,omitempty"`
}

// End completes a recording.
type End struct {
	// Switches and Wakeups are what the file holds, Counted the switches that the
	// kernel side counted on its own meanwhile, and Lost the events that found no
	// room on their way.
	Switches uint64 `json:"switches"`
	Wakeups  uint64 `json:"wakeups"`
	Counted  uint64 `json:"counted"`
	Lost     uint64 `json:"lost"`
	// LostTasks are names that found no room.
	LostTasks uint64 `json:"lost_tasks"`
}
