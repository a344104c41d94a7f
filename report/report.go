package report

import (
	"time"

	"github.com/slicetrace/slicetrace/report/histogram"
	"github.com/slicetrace/slicetrace/report/sched"
)

// SchemaVersion is the version of the JSON form of a Report. Readers refuse all other versions.
const SchemaVersion = 1

// Report is the record of one run: what was asked for, where it ran, what was measured in each
// trial, and how far the figures can be trusted.
type Report struct {
	// Schema is the SchemaVersion of the program that wrote the report.
	Schema int `json:"schema"`
	// Tool is the name and version of the program that measured.
	Tool Tool `json:"tool"`
	// Created is the time, in UTC, at which the run began.
	Created time.Time `json:"created"`
	// Host describes the machine and its kernel.
	Host Host `json:"host"`
	// Setup is what the user asked for, with defaults filled in.
	Setup Setup `json:"setup"`
	// Settings are other settings that influence figures, as they were when the run began. They are
	// nil in reports of versions that did not read them.
	Settings Settings `json:"settings,omitempty"`
	// SettingsAtEnd are those settings and properties of the host that had other values at the end
	// of the run.
	SettingsAtEnd []SettingChange `json:"settings_at_end,omitempty"`
	// Capture holds the hooks that were used.
	Capture Capture `json:"capture"`
	// Trials are in the order in which they ran: in tables, trial 1 is the first.
	Trials []Trial `json:"trials"`
	// Quality is the trust block: counts over the whole run.
	Quality Quality `json:"quality"`
	// Stacks are those that Trial.Why refers to, and Frames the functions on them. Both are empty unless
	// stacks were asked for.
	Stacks []Stack `json:"stacks,omitempty"`
	Frames []Frame `json:"frames,omitempty"`
	// Recording describes the run's recording, nil if none was made.
	Recording *Recording `json:"recording,omitempty"`
	// Untraced are trials that ran without the tracer, among those of Trials: they have no cores and no
	// workers, and show what tracing does to the work. Each has the round of the trial beside it.
	Untraced []Trial `json:"untraced,omitempty"`
	// Failed are the trials that produced no figures.
	Failed []FailedTrial `json:"failed,omitempty"`
	// Findings are the conclusions about each claim; there are none for a command.
	Findings []Finding `json:"findings,omitempty"`
	// Warnings are sentences for the user, such as "interrupted after 3 of 6 rounds".
	Warnings []string `json:"warnings,omitempty"`
}

// Tool identifies the program that wrote a report.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Setup is what a run was asked to do.
type Setup struct {
	// Workloads are the bundled loads' names, empty for a command.
	Workloads []string `json:"workloads,omitempty"`
	// WorkloadVersions hold the version of each workload; the versions begin at 1, and a workload
	// that is not named has version 1. Figures of different versions do not mean the same.
	WorkloadVersions map[string]int `json:"workload_versions,omitempty"`
	// Command is the traced command line, empty for bundled loads.
	Command []string `json:"command,omitempty"`
	// Commands are the commands of a run that repeats them by rounds, in the order given; it is empty
	// for a command that ran once.
	Commands []CommandSetup `json:"commands,omitempty"`
	// Warmup is how often each of them ran before the first round, and Prepare what ran before each of
	// their trials, "" for nothing.
	Warmup  int    `json:"warmup,omitempty"`
	Prepare string `json:"prepare,omitempty"`
	// UntracedEvery says that the work also ran without the tracer in each round whose number it
	// divides; 0 means in none.
	UntracedEvery int `json:"untraced_every,omitempty"`
	// Output says which figure was read from what the commands wrote, nil for none.
	Output *OutputSetup `json:"output,omitempty"`
	Modes  []Mode       `json:"modes"`
	Rounds int          `json:"rounds"`
	// DurationNS is the time that each trial's workers were asked to work; 0 for a command, a watch or
	// a fixed number of operations.
	DurationNS int64 `json:"duration_ns"`
	// Operations is the fixed number of operations of each worker, 0 if trials are timed.
	Operations int64 `json:"operations,omitempty"`
	// Workers is the number asked for, 0 for each workload's default.
	Workers int `json:"workers,omitempty"`
	// CPUs are the cores that workers could run on, ascending; for a watch, all that were watched.
	CPUs []sched.CPU `json:"cpus"`
	// Watch is what a run of mode SystemMode was asked to watch, nil in all other runs.
	Watch *Watch `json:"watch,omitempty"`
}

// Mode is how a trial's workers were held: as processes or as threads.
type Mode string

// The modes. Command is the mode of a program that is not a bundled workload, SystemMode that of what
// runs on the machine without slicetrace.
const (
	Processes  Mode = "processes"
	Threads    Mode = "threads"
	Command    Mode = "command"
	SystemMode Mode = "system"
)

// Trial is one workload in one mode in one round: the counters after it less those before it.
type Trial struct {
	// Workload is "" in mode SystemMode.
	Workload string `json:"workload"`
	// Variant is the variant of the workload, "" if it has only one.
	Variant string `json:"variant,omitempty"`
	Mode    Mode   `json:"mode"`
	// Round counts from 1. In mode SystemMode it is the number of the interval.
	Round int `json:"round"`
	// DurationNS is the time from the first worker's start to the last worker's end, by
	// CLOCK_MONOTONIC; for a command, from the gate to its exit; in mode SystemMode, the length of the
	// interval.
	DurationNS int64 `json:"duration_ns"`
	// Operations is the number of operations that all workers completed, 0 for a command.
	Operations int64 `json:"operations"`
	// Cores holds every core watched, ascending.
	Cores []Core `json:"cores"`
	// Workers holds every watched task, in the order of the workers (for a command, in the order of
	// creation).
	Workers []Worker `json:"workers"`
	// Lost counts what is missing from this trial's figures.
	Lost Lost `json:"lost"`
	// Figures are what the workload itself measured, added up over its workers.
	Figures []Figure `json:"figures,omitempty"`
	// Memory is the memory of the workers' processes at the end, nil for a command and if it could
	// not be read.
	Memory *Memory `json:"memory,omitempty"`
	// Created describes the tasks that workers created, nil if none of them ended.
	Created *Created `json:"created,omitempty"`
	// ToolSwitches is how often slicetrace itself was switched out while the workers ran. It is nil
	// in reports of versions that did not count it.
	ToolSwitches *uint64 `json:"tool_switches,omitempty"`
	// ToolNS is the part of the cores' OthersNS that slicetrace's own processes took: the one that
	// takes the snapshots, and the Go runtimes of those that hold the workers. It is nil in reports
	// of versions that did not measure it.
	ToolNS *int64 `json:"tool_ns,omitempty"`
	// Settings are the settings and properties of the host that, at the start or end of the trial,
	// were not as at the beginning of the run.
	Settings []SettingChange `json:"settings,omitempty"`
	// Throttling is the effect of a CPU quota of slicetrace's own cgroup during the trial, nil
	// without a quota.
	Throttling *Throttling `json:"throttling,omitempty"`
	// System is what all tasks did, nil unless Mode is SystemMode. Then Cores' WorkersNS, Slices and
	// Wait are of all these tasks, and Workers is empty.
	System *System `json:"system,omitempty"`
	// Why is where tasks were when they were off their cores, nil if that was not asked for.
	Why *Why `json:"why,omitempty"`
	// CPUNS is the CPU time that a command, and the children for which it waited, used by the kernel's
	// account. It is nil for other modes, and in reports of versions that did not store it.
	CPUNS *int64 `json:"cpu_ns,omitempty"`
	// ExitStatus is that of a command as a shell shows it: above 128 for a signal. It is nil for other
	// modes, and in reports of versions that did not store it.
	ExitStatus *int `json:"exit_status,omitempty"`
	// Output is the figure that was read from the command's output, nil if none was asked for.
	Output *float64 `json:"output,omitempty"`
	// StartedNS is when the first worker started, or the command was let through its gate, by
	// CLOCK_MONOTONIC. It counts from the beginning of the run, whose time Created gives to the
	// second. It is nil in reports of versions that did not store it.
	StartedNS *int64 `json:"started_ns,omitempty"`
}

// Memory is the memory of a trial's worker processes, added up. They are Go programs, and each
// includes its runtime.
type Memory struct {
	Processes int `json:"processes"`
	// PSSBytes counts each shared page in equal parts for the processes that share it, PrivateBytes
	// only pages that no other process has; both are from /proc/PID/smaps_rollup. PageTableBytes is
	// VmPTE of /proc/PID/status.
	PSSBytes       int64 `json:"pss_bytes"`
	PrivateBytes   int64 `json:"private_bytes"`
	PageTableBytes int64 `json:"page_table_bytes"`
}

// Figure is a count of the workload itself, such as the final value of a shared counter. Its name
// ends with the unit (_ns, _bytes), or has none for a plain count.
type Figure struct {
	Name  string `json:"name"`
	Value int64  `json:"value"`
}

// Core describes what happened on one core between a trial's two snapshots. WallNS = IdleNS +
// WorkersNS + OthersNS + SelfNS, up to the resolution of the clock.
type Core struct {
	CPU sched.CPU `json:"cpu"`
	// WallNS is the time between the core's two snapshots.
	WallNS int64 `json:"wall_ns"`
	// IdleNS, WorkersNS and OthersNS are time in slices of the idle task, of
	// watched workers and of every other task.
	IdleNS    int64 `json:"idle_ns"`
	WorkersNS int64 `json:"workers_ns"`
	OthersNS  int64 `json:"others_ns"`
	// SelfNS is the tracer's own bookkeeping between the two phases.
	SelfNS int64 `json:"self_ns"`
	// StealNS is the time that the hypervisor took, from /proc/stat (in steps of 10 ms). It is part
	// of the other times, not added to them.
	StealNS int64 `json:"steal_ns"`
	// InterruptNS is the time that interrupts and softirqs took, also from /proc/stat: counted by
	// ticks, unless the kernel was built with IRQ_TIME_ACCOUNTING. It is part of the other times,
	// including idle time.
	InterruptNS int64 `json:"interrupt_ns,omitempty"`
	// Ticks counts the scheduler's timer interrupts, BusyTicks those that did not interrupt the
	// idle task. They are nil if ticks cannot be traced.
	Ticks     *uint64 `json:"ticks,omitempty"`
	BusyTicks *uint64 `json:"busy_ticks,omitempty"`
	// Classes holds each switch class that occurred, in the order of the Class constants.
	Classes []ClassStats `json:"classes"`
	// Slices holds workers' slices that ended on this core, by cause, in the
	// order of the EndedBy constants.
	Slices []SliceStats `json:"slices"`
	// Wait is the run-queue latency of workers switched in on this core.
	Wait histogram.Histogram `json:"wait"`
}

// Class is the kind of a switch.
type Class string

// The switch classes, in the order in which they are reported.
const (
	ClassThread  Class = "thread"   // user task to user task, same address space
	ClassProcess Class = "process"  // user task to user task, another address space
	ClassKernel  Class = "kernel"   // to or from a kernel thread
	ClassIdleIn  Class = "idle_in"  // to the idle task
	ClassIdleOut Class = "idle_out" // from the idle task
)

// Classes returns all switch classes in reporting order.
func Classes() []Class {
	return []Class{ClassThread, ClassProcess, ClassKernel, ClassIdleIn, ClassIdleOut}
}

// ClassStats is the cost of one class of switch on one core. Pick, Switch and Cost have a Count of
// 0 if the kernel has no hook for the phase; Cost needs both phases.
type ClassStats struct {
	Class Class `json:"class"`
	// Switches counts the switches, whether or not their phases were timed.
	Switches uint64 `json:"switches"`
	// Pick is the time from the entry of __schedule to sched_switch. If Capture.Pick is not
	// "sched_entry_tp", it starts some 50 instructions later.
	Pick histogram.Histogram `json:"pick"`
	// Switch is the time from sched_switch to the end of __schedule. If Capture.Switch is not
	// "sched_exit_tp", it ends in finish_task_switch, which is called before that.
	Switch histogram.Histogram `json:"switch"`
	// Cost is pick + switch of each switch that has both.
	Cost histogram.Histogram `json:"cost"`
}

// Worker is one watched task over one trial.
type Worker struct {
	// Index is the worker's number in the workload from 0; for a command, the
	// order in which its tasks were created.
	Index int       `json:"index"`
	PID   sched.PID `json:"pid"`
	TID   sched.TID `json:"tid"`
	// Comm is the name that the task gave itself: hostile input, at most 15
	// bytes, made valid UTF-8.
	Comm string `json:"comm"`
	// Nice is the worker's nice level, -20 to 19.
	Nice int `json:"nice,omitempty"`
	// Operations is what the worker completed; 0 for a command.
	Operations int64 `json:"operations"`
	// Slices counts the worker's slices that ended, and EndedBy why they did.
	Slices  uint64      `json:"slices"`
	EndedBy CauseCounts `json:"ended_by"`
	// Voluntary and Involuntary count switches away from the worker, as slicetrace counted them.
	Voluntary   uint64 `json:"voluntary"`
	Involuntary uint64 `json:"involuntary"`
	// Kernel holds the kernel's own counters over the same time, nil if they could not be read.
	Kernel *KernelCounters `json:"kernel,omitempty"`
	// OnCPUNS is the sum of the worker's slices.
	OnCPUNS int64 `json:"on_cpu_ns"`
	// WaitNS is the time in which it was runnable but not running, WaitMaxNS the longest such wait.
	WaitNS     int64  `json:"wait_ns"`
	WaitMaxNS  int64  `json:"wait_max_ns"`
	Migrations uint64 `json:"migrations"`
	// ThrottledNS is the time in which a control group's CPU quota kept the task from running. It
	// is not part of any wait.
	ThrottledNS int64 `json:"throttled_ns,omitempty"`
	// Exited is true if the task ended within the trial.
	Exited bool `json:"exited,omitempty"`
	// Merged is the number of short-lived tasks that this row adds up, 0 for the row of a single
	// task: the tasks of a command that are beyond the row limit share one row.
	Merged int `json:"merged,omitempty"`
}

// Lost counts what is missing from a trial's figures, by reason.
type Lost struct {
	// UnmatchedPick and UnmatchedSwitch count switches whose phase should have been timed but was
	// not.
	UnmatchedPick   uint64 `json:"unmatched_pick"`
	UnmatchedSwitch uint64 `json:"unmatched_switch"`
	// HiddenSwitches counts how often the kernel did not report which task took a core: some kernels
	// hide tasks from tracing. The times and switches of the tasks that it did report are corrected;
	// each correction lacks a switch phase.
	HiddenSwitches uint64 `json:"unseen"`
	// Unwatched counts switches on cores that the kernel had not listed as possible, and in reports
	// of older versions those on cores that came online later.
	Unwatched uint64 `json:"unwatched"`
	// MapFull counts tasks that should have been watched but for which the map had no room.
	// Of a watched system, each counts in the interval in which it was first seen without a place, and
	// those that ended before the end of an interval do not count.
	MapFull uint64 `json:"map_full"`
	// UnplacedSlices counts the slices of such tasks of a watched system. They are in no row: their time is
	// still in Core.
	UnplacedSlices uint64 `json:"unplaced_slices,omitempty"`
	// DroppedTasks counts ended tasks whose row was lost because the map was full. Their time is
	// still in Core.
	DroppedTasks uint64 `json:"dropped_tasks"`
}

// Capture holds the hooks that were used on this kernel.
type Capture struct {
	// Pick is "sched_entry_tp", "fentry:<symbol>", "rcu_utilization", or "" if there is no such hook.
	Pick string `json:"pick"`
	// Switch is "sched_exit_tp", "fentry:<symbol>", "kprobe:<symbol>", or "".
	Switch string `json:"switch"`
	// Tick is the names of the tracepoints that show ticks, or "".
	Tick string `json:"tick"`
	// Notes explain, one sentence each, what is absent and why.
	Notes []string `json:"notes,omitempty"`
}

// Quality is the trust block.
type Quality struct {
	// Switches counts every switch on every watched core in all trials.
	Switches uint64 `json:"switches"`
	// Lost is the sum over all trials.
	Lost Lost `json:"lost"`
	// RecursionMisses counts calls of hooks that the kernel skipped.
	RecursionMisses uint64 `json:"recursion_misses"`
	// MostTasks is how many of a program's tasks could be watched at once. It is 0 for bundled
	// workloads, and in reports of earlier versions.
	MostTasks int `json:"most_tasks,omitempty"`
	// Workers counts all workers, ComparedWorkers those whose kernel counters could be read, and
	// ReconciledWorkers those of them whose switch counts equal the kernel's.
	ReconciledWorkers int `json:"reconciled_workers"`
	ComparedWorkers   int `json:"compared_workers"`
	Workers           int `json:"workers"`
	// CreatedTasks counts the tasks that workers created, ReconciledCreated those of them whose
	// switch counts equal the kernel's.
	CreatedTasks      uint64 `json:"created_tasks"`
	ReconciledCreated uint64 `json:"reconciled_created"`
	// ProbeFloorNS is the median time between the stamps of two programs with nothing between them.
	// The switch phase contains that much, and so does the pick phase unless PickFloorNS is set. It
	// is nil if it was not measured.
	ProbeFloorNS *int64 `json:"probe_floor_ns,omitempty"`
	// PickFloorNS is that time in the pick phase where both phases are timed and hooks of other
	// kinds bound this one. It is nil if that is not so, or if it was not measured.
	PickFloorNS *int64 `json:"pick_floor_ns,omitempty"`
	// WallNS is the core time that was watched, added up over cores and trials. SelfNS and StealNS
	// are parts of it.
	WallNS  int64 `json:"wall_ns"`
	SelfNS  int64 `json:"self_ns"`
	StealNS int64 `json:"steal_ns"`
	// ToolSwitches is how often slicetrace itself was switched out while the workers ran, nil if it
	// was not counted in every trial.
	ToolSwitches *uint64 `json:"tool_switches,omitempty"`
	// AccountingErrorPPM is the largest |idle+workers+others+self − wall| ÷ wall
	// of any core in any trial, in parts per million.
	AccountingErrorPPM int64 `json:"accounting_error_ppm"`
	// OnCPUNS is workers' time on cores, and RuntimeNS the kernel's sum_exec_runtime of the same
	// workers, where it is known. RuntimeErrorPPM is by how much OnCPUNS is outside the range that
	// RuntimeNS allows, in parts per million of RuntimeNS: the kernel leaves out stolen time and
	// interrupts, and counts slicetrace's own time. It is nil if RuntimeNS is unknown.
	OnCPUNS         int64  `json:"on_cpu_ns,omitempty"`
	RuntimeNS       int64  `json:"runtime_ns,omitempty"`
	RuntimeErrorPPM *int64 `json:"runtime_error_ppm,omitempty"`
}
