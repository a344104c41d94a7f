package recording

import (
	"time"

	"github.com/slicetrace/slicetrace/report/sched"
)

// Event is one thing that happened on one core: a switch, or a wakeup. It fits into a cache line.
type Event struct {
	// TimeNS is CLOCK_MONOTONIC at the tracepoint, in nanoseconds.
	TimeNS int64
	// Next is the task that the core switched to, or that was woken; 0 is idle.
	Next sched.TID
	// CPU is the core on which the woken task will run. It belongs to wakeups only.
	CPU sched.CPU

	// The fields from here to State belong to switches only. Prev is the task that the core
	// switched from.
	Prev sched.TID
	// SliceNS is how long prev had the core, -1 if its switch-in was not seen.
	SliceNS int64
	// PickNS and SwitchNS are the phases of this switch, -1 if not timed.
	PickNS, SwitchNS int64
	// Class is an index into report.Classes, or NoClass for a switch that the
	// counters do not count.
	Class uint8
	// EndedBy is why prev's slice ended, as an index into report.Causes, or NoCause for
	// the idle task's.
	EndedBy uint8
	// State is prev's state as the kernel prints it: 'R', 'S', 'D' and so on.
	State byte

	Kind Kind
}

// NoClass is the Class of a switch that belongs to no class, and NoCause the EndedBy
// of a slice of the idle task.
const (
	NoClass = 7
	NoCause = 7
)

// Kind is whether an event is a switch or a wakeup.
type Kind uint8

// The kinds.
const (
	Switch Kind = iota
	Wakeup
)

// Block is what one core did for a while, in the order of time.
type Block struct {
	CPU sched.CPU
	// Lost is how many events of the core are missing before the first of Events.
	Lost   uint64
	Events []Event
}

// Task is a name that a task has had since a time.
type Task struct {
	// TimeNS is CLOCK_MONOTONIC, 0 for a task that existed before the recording.
	TimeNS int64
	TID    sched.TID
	// TGID is the task's process.
	TGID sched.PID
	// Parent is the task that created this one at that time. It is 0 for a task that
	// existed before or has only changed its name, and in recordings of older versions.
	Parent sched.TID
	// Comm is chosen by the task: hostile input, up to 15 arbitrary bytes.
	Comm string
}

// Header is at the start of a recording.
type Header struct {
	// ID identifies the recording. The report of the same run has the same one. It is ""
	// in recordings of older versions.
	ID string `json:"id,omitempty"`
	// Tool names the program and version that recorded.
	Tool string `json:"tool"`
	// Created is the time at which recording began, and MonotonicNS the same
	// moment by CLOCK_MONOTONIC.
	Created     time.Time `json:"created"`
	MonotonicNS int64     `json:"monotonic_ns"`
	// CPUs are the cores watched, ascending.
	CPUs   []sched.CPU `json:"cpus"`
	Kernel string      `json:"kernel"`
	// Pick and Switch name the hooks that timed the phases, as in report.Capture.
	Pick   string `json:"pick"`
	Switch string `json:"switch"`
	// Window is set if the recording is what a flight recorder kept.
	Window *Window `json:"window,omitempty"`
}

// Window is the part of a run that a flight recorder saved, and why. Its times are CLOCK_MONOTONIC.
type Window struct {
	// Number counts the windows of a run from 1.
	Number int `json:"number"`
	// KeepNS is how long a time before the trigger was to be kept.
	KeepNS int64 `json:"keep_ns"`
	// FromNS and UntilNS are between which times the events of all cores are there. Some cores may
	// have a few before and after.
	FromNS  int64 `json:"from_ns"`
	UntilNS int64 `json:"until_ns"`
	// Short says that less than KeepNS was kept, since the memory for it was used up.
	Short   bool    `json:"short,omitempty"`
	Trigger Trigger `json:"trigger"`
	// More is how many more such cases were found within the window.
	More uint64 `json:"more,omitempty"`
}

// Trigger is what made a flight recorder save its window.
type Trigger struct {
	// Condition is the condition that was met, as in "wait>20ms", or "SIGUSR1".
	Condition string `json:"condition"`
	// TID, TGID and Comm are the task that met it; absent for a signal. Comm is hostile input, as in Task.
	TID  sched.TID `json:"tid,omitempty"`
	TGID sched.PID `json:"tgid,omitempty"`
	Comm string    `json:"comm,omitempty"`
	// AtNS is when it was met by CLOCK_MONOTONIC: the end of the time that was too long. LengthNS is
	// that time.
	AtNS     int64 `json:"at_ns"`
	LengthNS int64 `json:"length_ns,omitempty"`
}

// Mark is when a trial ran, and which tasks were its workers.
type Mark struct {
	Workload string `json:"workload"`
	Variant  string `json:"variant,omitempty"`
	Mode     string `json:"mode"`
	Round    int    `json:"round"`
	// StartNS and EndNS are CLOCK_MONOTONIC.
	StartNS int64 `json:"start_ns"`
	EndNS   int64 `json:"end_ns"`
	// Workers are in worker order.
	Workers []sched.TID `json:"workers,omitempty"`
}

// End completes a recording.
type End struct {
	// Switches and Wakeups are how many of them the file holds. Counted is how many
	// switches the BPF programs have counted meanwhile, independently. Lost is how many
	// events found no room on their way into the file.
	Switches uint64 `json:"switches"`
	Wakeups  uint64 `json:"wakeups"`
	Counted  uint64 `json:"counted"`
	Lost     uint64 `json:"lost"`
	// LostTasks is how many names found no room.
	LostTasks uint64 `json:"lost_tasks"`
}
