package report

import (
	"time"

	"github.com/slicetrace/slicetrace/report/histogram"
)

// SchemaVersion is the version of the JSON form of a Report. A reader refuses
// any other version.
const SchemaVersion = 1

// Report is the record of one run: what was asked, where it ran, what was
// measured in each trial, and how far the figures can be trusted.
type Report struct {
	// Schema is SchemaVersion when the report was written.
	Schema int `json:"schema"`
	// Tool names the program and version that measured.
	Tool Tool `json:"tool"`
	// Created is the time, in UTC, at which the run began.
	Created time.Time `json:"created"`
	// Host is the fingerprint of the machine and kernel.
	Host Host `json:"host"`
	// Setup is what the user asked for, defaults filled in.
	Setup Setup `json:"setup"`
	// Settings are what else moved figures when the run began; nil in reports of
	// versions that did not read them.
	Settings Settings `json:"settings,omitempty"`
	// SettingsAtEnd are those settings and parts of the host that were not the same
	// at the run's end.
	SettingsAtEnd []SettingChange `json:"settings_at_end,omitempty"`
	// Capture says which hooks gave the figures.
	Capture Capture `json:"capture"`
	// Trials are in the order in which they ran: in tables, trial 1 is the first.
	Trials []Trial `json:"trials"`
	// Quality is the trust block: counts over the whole run.
	Quality Quality `json:"quality"`
	// Recording is what was recorded meanwhile, nil without a recording.
	Recording *Recording `json:"recording,omitempty"`
	// Failed are the trials that gave no figures.
	Failed []FailedTrial `json:"failed,omitempty"`
	// Findings say what the figures mean for each claim; none for a command.
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
	// WorkloadVersions hold the version of each workload, from 1, which is also that of a
	// workload that is not named. Figures of unlike versions do not mean the same.
	WorkloadVersions map[string]int `json:"workload_versions,omitempty"`
	// Command is the traced command line, empty for bundled loads.
	Command []string `json:"command,omitempty"`
	Modes   []Mode   `json:"modes"`
	Rounds  int      `json:"rounds"`
	// DurationNS is the time that each trial's workers were asked to work; 0 for
	// a command or a fixed number of operations.
	DurationNS int64 `json:"duration_ns"`
	// Operations is the fixed number of operations a worker, 0 when timed.
	Operations int64 `json:"operations,omitempty"`
	// Workers is the number asked for, 0 for each workload's default.
	Workers int `json:"workers,omitempty"`
	// CPUs are the cores that workers could run on, ascending.
	CPUs []int `json:"cpus"`
}

// Mode says how a trial's workers were held.
type Mode string

// The modes. Command is the mode of a program that slicetrace did not bundle.
const (
	Processes Mode = "processes"
	Threads   Mode = "threads"
	Command   Mode = "command"
)

// Trial is one workload in one mode in one round: after minus before.
type Trial struct {
	Workload string `json:"workload"`
	// Variant is the form of the workload, "" when it has one form.
	Variant string `json:"variant,omitempty"`
	Mode    Mode   `json:"mode"`
	// Round counts from 1.
	Round int `json:"round"`
	// DurationNS is from the first worker's start to the last worker's end, by
	// CLOCK_MONOTONIC; for a command from the gate to its exit.
	DurationNS int64 `json:"duration_ns"`
	// Operations is the sum over workers of completed operations, 0 for a command.
	Operations int64 `json:"operations"`
	// Cores holds every core watched, ascending.
	Cores []Core `json:"cores"`
	// Workers holds every watched task, in worker order (for a command: by
	// time of creation).
	Workers []Worker `json:"workers"`
	// Lost counts what this trial's figures miss.
	Lost Lost `json:"lost"`
	// Figures are what the workload itself counted, summed over its workers.
	Figures []Figure `json:"figures,omitempty"`
	// Memory is what the workers' processes held at the end, nil for a command
	// and where it could not be read.
	Memory *Memory `json:"memory,omitempty"`
	// Created is what became of the tasks that workers created, nil if none ended.
	Created *Created `json:"created,omitempty"`
	// ToolSwitches is how often slicetrace itself was switched out while the work ran,
	// nil in reports of versions that did not count it.
	ToolSwitches *uint64 `json:"tool_switches,omitempty"`
	// ToolNS is what slicetrace's own processes had of the cores' OthersNS: it takes the
	// snapshots, and the programs that hold the workers have threads of their own. Nil in
	// reports of versions that did not measure it.
	ToolNS *int64 `json:"tool_ns,omitempty"`
	// Settings are the settings and parts of the host that were not, at one end of
	// the trial, as at the beginning of the run.
	Settings []SettingChange `json:"settings,omitempty"`
	// Throttling is what a CPU quota of the tool's own cgroup did meanwhile, nil
	// where there is none.
	Throttling *Throttling `json:"throttling,omitempty"`
	// StartedNS is when the first worker started, or the command at its gate: by
	// CLOCK_MONOTONIC, since the run began, which is Created to the second. Nil in
	// reports of versions that did not keep it.
	StartedNS *int64 `json:"started_ns,omitempty"`
}

// Memory is the memory of a trial's worker processes, the sum over them. They
// are Go programs, whose runtime is part of each.
type Memory struct {
	Processes int `json:"processes"`
	// PSSBytes counts each page that several processes share by each one's
	// part, PrivateBytes only pages that no other process has: both from
	// /proc/PID/smaps_rollup. PageTableBytes is VmPTE of /proc/PID/status.
	PSSBytes       int64 `json:"pss_bytes"`
	PrivateBytes   int64 `json:"private_bytes"`
	PageTableBytes int64 `json:"page_table_bytes"`
}

// Figure is a count of a workload's own, such as the final value of a shared
// counter. Its name ends with the unit (_ns, _bytes), or has none for a count.
type Figure struct {
	Name  string `json:"name"`
	Value int64  `json:"value"`
}

// Core is what happened on one core between a trial's two snapshots.
// WallNS = IdleNS + WorkersNS + OthersNS + SelfNS, but for clock granularity.
type Core struct {
	CPU int `json:"cpu"`
	// WallNS is the time between the core's two snapshots.
	WallNS int64 `json:"wall_ns"`
	// IdleNS, WorkersNS and OthersNS are time in slices of the idle task, of
	// watched workers and of every other task.
	IdleNS    int64 `json:"idle_ns"`
	WorkersNS int64 `json:"workers_ns"`
	OthersNS  int64 `json:"others_ns"`
	// SelfNS is the tracer's own bookkeeping between the two phases.
	SelfNS int64 `json:"self_ns"`
	// StealNS is what the hypervisor took, from /proc/stat (10 ms grain); it is
	// inside the other times, not beside them.
	StealNS int64 `json:"steal_ns"`
	// InterruptNS is what interrupts and what they leave to do at once took, from
	// /proc/stat too: by ticks, unless the kernel was built with
	// IRQ_TIME_ACCOUNTING. It is inside the other times, idle time among them.
	InterruptNS int64 `json:"interrupt_ns,omitempty"`
	// Ticks counts the scheduler's timer interrupts, BusyTicks those that did
	// not interrupt the idle task. Nil where ticks cannot be seen.
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

// ClassStats is what one class of switch cost on one core. Pick, Switch and
// Cost have a Count of 0 where the kernel offers no hook for the phase; Cost
// needs both.
type ClassStats struct {
	Class Class `json:"class"`
	// Switches counts the switches, whether or not their phases were timed.
	Switches uint64 `json:"switches"`
	// Pick is the time from the entry of __schedule to sched_switch.
	Pick histogram.Histogram `json:"pick"`
	// Switch is the time from sched_switch to the end of __schedule.
	Switch histogram.Histogram `json:"switch"`
	// Cost is pick + switch of each switch that has both.
	Cost histogram.Histogram `json:"cost"`
}

// EndedBy says why a slice ended.
type EndedBy string

// The causes, in the order in which they are reported.
const (
	EndedByBlocked EndedBy = "blocked"
	EndedByExited  EndedBy = "exited"
	EndedByTick    EndedBy = "tick"
	EndedByWakeup  EndedBy = "wakeup"
	EndedByYield   EndedBy = "yield"
	EndedByOther   EndedBy = "other"
	// EndedByThrottled is the end that a control group's quota of CPU time makes.
	EndedByThrottled EndedBy = "throttled"
)

// Causes returns all causes in reporting order.
func Causes() []EndedBy {
	return []EndedBy{EndedByBlocked, EndedByExited, EndedByTick, EndedByWakeup, EndedByYield, EndedByOther, EndedByThrottled}
}

// CauseCounts counts slices by what ended them.
type CauseCounts struct {
	Blocked   uint64 `json:"blocked,omitempty"`
	Exited    uint64 `json:"exited,omitempty"`
	Tick      uint64 `json:"tick,omitempty"`
	Wakeup    uint64 `json:"wakeup,omitempty"`
	Yield     uint64 `json:"yield,omitempty"`
	Other     uint64 `json:"other,omitempty"`
	Throttled uint64 `json:"throttled,omitempty"`
}

// At returns where one cause is counted, nil for a cause that this version does not know.
func (c *CauseCounts) At(cause EndedBy) *uint64 {
	switch cause {
	case EndedByBlocked:
		return &c.Blocked
	case EndedByExited:
		return &c.Exited
	case EndedByTick:
		return &c.Tick
	case EndedByWakeup:
		return &c.Wakeup
	case EndedByYield:
		return &c.Yield
	case EndedByOther:
		return &c.Other
	case EndedByThrottled:
		return &c.Throttled
	}
	return nil
}

// SliceStats is the length of workers' slices that ended for one cause.
type SliceStats struct {
	EndedBy EndedBy             `json:"ended_by"`
	Length  histogram.Histogram `json:"length"`
}

// Worker is one watched task over one trial.
type Worker struct {
	// Index is the worker's number in the workload from 0; for a command, the
	// order in which its tasks were created.
	Index int `json:"index"`
	PID   int `json:"pid"`
	TID   int `json:"tid"`
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
	// Voluntary and Involuntary are switches away from the worker as seen by
	// the tracer.
	Voluntary   uint64 `json:"voluntary"`
	Involuntary uint64 `json:"involuntary"`
	// Kernel holds the kernel's own counters over the same span, nil where they
	// could not be read.
	Kernel *KernelCounters `json:"kernel,omitempty"`
	// OnCPUNS is the sum of the worker's slices.
	OnCPUNS int64 `json:"on_cpu_ns"`
	// WaitNS is time runnable but not running, WaitMaxNS the longest such wait.
	WaitNS     int64  `json:"wait_ns"`
	WaitMaxNS  int64  `json:"wait_max_ns"`
	Migrations uint64 `json:"migrations"`
	// ThrottledNS is time in which a control group's quota of CPU time kept the task
	// from running: it is in no wait.
	ThrottledNS int64 `json:"throttled_ns,omitempty"`
	// Exited says that the task ended within the trial.
	Exited bool `json:"exited,omitempty"`
	// Merged is the number of short-lived tasks that this row stands for, 0 for
	// a row of its own: a command's tasks beyond the row limit share one row.
	Merged int `json:"merged,omitempty"`
}

// Lost counts what a trial's figures miss, and why.
type Lost struct {
	// UnmatchedPick and UnmatchedSwitch are switches for which a phase should
	// have been timed and was not.
	UnmatchedPick   uint64 `json:"unmatched_pick"`
	UnmatchedSwitch uint64 `json:"unmatched_switch"`
	// Unseen counts how often the kernel did not report who took a core, as
	// kernels that hide tasks from tracing do. The times and switches of the
	// tasks that it did report are repaired; each such time lacks a switch phase.
	Unseen uint64 `json:"unseen"`
	// Unwatched counts switches on cores that the kernel had not said to be possible,
	// and in reports of older versions those on cores that came online later.
	Unwatched uint64 `json:"unwatched"`
	// MapFull counts tasks that should have been watched but found no room.
	MapFull uint64 `json:"map_full"`
	// DroppedTasks counts ended tasks whose row was lost, as the places of the map were
	// all taken; their time is still in Core.
	DroppedTasks uint64 `json:"dropped_tasks"`
}

// Capture says what gave the figures on this kernel.
type Capture struct {
	// Pick is "sched_entry_tp", or "" when the kernel has no such hook.
	Pick string `json:"pick"`
	// Switch is "sched_exit_tp", "kprobe:<symbol>", or "".
	Switch string `json:"switch"`
	// Tick names the tracepoints that tell of ticks, or is "".
	Tick string `json:"tick"`
	// Notes says in a sentence each what is absent and why.
	Notes []string `json:"notes,omitempty"`
}

// Quality is the trust block.
type Quality struct {
	// Switches counts every switch on every watched core in all trials.
	Switches uint64 `json:"switches"`
	// Lost is the sum over trials.
	Lost Lost `json:"lost"`
	// RecursionMisses counts hook firings that the kernel skipped.
	RecursionMisses uint64 `json:"recursion_misses"`
	// MostTasks is how many of a program's tasks could be watched at once, 0 for
	// bundled workloads and where an earlier version did not say.
	MostTasks int `json:"most_tasks,omitempty"`
	// ReconciledWorkers of ComparedWorkers have switch counts equal to the kernel's;
	// Workers is all of them.
	ReconciledWorkers int `json:"reconciled_workers"`
	ComparedWorkers   int `json:"compared_workers"`
	Workers           int `json:"workers"`
	// ReconciledCreated of the CreatedTasks, which workers created, have such counts too.
	CreatedTasks      uint64 `json:"created_tasks"`
	ReconciledCreated uint64 `json:"reconciled_created"`
	// ProbeFloorNS is the median time between two programs' stamps with nothing
	// between them: what remains inside a phase. Nil when not measured.
	ProbeFloorNS *int64 `json:"probe_floor_ns,omitempty"`
	// WallNS is core time watched, the sum over cores and trials; SelfNS and
	// StealNS are parts of it.
	WallNS  int64 `json:"wall_ns"`
	SelfNS  int64 `json:"self_ns"`
	StealNS int64 `json:"steal_ns"`
	// ToolSwitches is how often slicetrace itself was switched out while work ran, nil
	// if that was not counted in each trial.
	ToolSwitches *uint64 `json:"tool_switches,omitempty"`
	// AccountingErrorPPM is the largest |idle+workers+others+self − wall| ÷ wall
	// of any core in any trial, in parts per million.
	AccountingErrorPPM int64 `json:"accounting_error_ppm"`
	// OnCPUNS is workers' time on cores and RuntimeNS the kernel's sum_exec_runtime of
	// the same workers, where that is known. RuntimeErrorPPM is by how much the first
	// is outside what the second allows, in parts per million of it: it leaves out
	// stolen time and interrupts and counts the tracer's own. Nil where none is known.
	OnCPUNS         int64  `json:"on_cpu_ns,omitempty"`
	RuntimeNS       int64  `json:"runtime_ns,omitempty"`
	RuntimeErrorPPM *int64 `json:"runtime_error_ppm,omitempty"`
}
