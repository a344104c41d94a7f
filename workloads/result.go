//go:build linux

package workloads

import (
	"time"
)

// Observer follows trials. Its methods are called from Run, one at a time.
type Observer interface {
	// Ready is called when the trial's workers exist and every one is off the
	// CPU, blocked at the start gate, and its kernel counters have been read. The
	// gate opens when Ready returns nil. An error ends the trial.
	Ready(Trial, []Worker) error
	// Stopped is called when every worker has done its work and is off the CPU,
	// blocked at the end gate and still alive, or has died as its workload intends.
	// The hosts are killed when it returns.
	Stopped(Result) error
}

// Worker identifies one worker of a trial.
type Worker struct {
	// Index counts from 0.
	Index int
	// PID is the process (the kernel's tgid), TID the thread.
	PID PID
	TID TID
	// CPU is the core that the worker is pinned to, or -1 if it may use several.
	CPU CPU
	// Comm is the thread's name, at most 15 bytes.
	Comm string
	// Nice is the thread's nice level.
	Nice int
	// Before was read at the start gate.
	Before Counters
}

// Counters are the kernel's own figures for one thread, from
// /proc/PID/task/TID/status and schedstat, counted since the thread started.
type Counters struct {
	// Voluntary and Involuntary are switches away from the thread.
	Voluntary, Involuntary uint64
	// Runtime is time on the CPU, RunDelay is time runnable but waiting for a CPU.
	Runtime, RunDelay time.Duration
	// Slices is how often the thread was switched to.
	Slices uint64
}

// Result is what one trial did. Its times are CLOCK_MONOTONIC.
type Result struct {
	Trial Trial
	// Start is the earliest worker's start, End the latest worker's end.
	Start, End time.Duration
	// Workers are in index order.
	Workers []WorkerResult
	// Figures are what the workload itself measured, in the order that it defines.
	Figures []Figure
	// Memory is nil if it could not be read.
	Memory *Memory
	// Paused are the workers whose process a signal stopped for a while.
	Paused []int
	// ToolSwitches is how often threads of this process were switched out from the
	// opening of the start gate until the last worker had reached the end gate.
	ToolSwitches uint64
}

// Figure is something that a workload measured besides operations. Its name
// ends with its unit, _ns or _bytes; a name without a unit is a count.
type Figure struct {
	Name string
	// Value is the sum over workers.
	Value int64
}

// WorkerResult is what one worker did in a trial.
type WorkerResult struct {
	Worker
	// Operations is the number completed; each workload defines what one operation is.
	Operations int64
	// Start is when the worker passed the start gate, End when its work was done.
	Start, End time.Duration
	// After was read at the end gate.
	After Counters
	// Died means that the worker's process ended before the end gate, as the workload
	// intends. Then End is when this was noticed, and After is zero.
	Died bool
}
