//go:build linux

package workloads

import "time"

// Observer follows trials. Its methods are called from Run, one at a time.
type Observer interface {
	// Ready is called when the trial's workers exist and every one is off the
	// CPU, blocked at the start gate, its kernel counters already read. The
	// gate opens when Ready returns nil. An error ends the trial.
	Ready(Trial, []Worker) error
	// Stopped is called when every worker has done its work and is off the CPU,
	// blocked at the end gate, still alive, or has died as the workload wants it.
	// The hosts are killed when it returns.
	Stopped(Result) error
}

// Worker identifies one worker of a trial.
type Worker struct {
	// Index counts from 0.
	Index int
	// PID is the process (the kernel's tgid), TID the thread.
	PID, TID int
	// CPU is the core that the worker is pinned to, or -1 if it may use several.
	CPU int
	// Comm is the thread's name, at most 15 bytes.
	Comm string
	// Nice is the thread's nice level.
	Nice int
	// Before was read at the start gate.
	Before Counters
}

// Counters are the kernel's own figures for one thread, from
// /proc/PID/task/TID/status and schedstat, counted since the thread began.
type Counters struct {
	// Voluntary and Involuntary are switches away from the thread.
	Voluntary, Involuntary uint64
	// Runtime is time on the CPU, RunDelay time runnable but waiting for it.
	Runtime, RunDelay time.Duration
	// Slices is how often the thread was given the CPU.
	Slices uint64
}

// Result is what one trial did. Stamps are CLOCK_MONOTONIC.
type Result struct {
	Trial Trial
	// Start is the earliest worker's start, End the latest worker's end.
	Start, End time.Duration
	// Workers are in index order.
	Workers []WorkerResult
	// Figures are what the workload itself measured, in an order of its own.
	Figures []Figure
	// Memory is nil where it could not be read.
	Memory *Memory
	// Paused are the workers whose process a signal stopped for a while.
	Paused []int
	// ToolSwitches is how often this process was switched out from the opening of
	// the start gate until the last worker had come to the end gate.
	ToolSwitches uint64
}

// Figure is something that a workload measured besides operations. Its name
// carries the unit: _ns, _bytes, or none for a count.
type Figure struct {
	Name string
	// Value is the sum over workers.
	Value int64
}

// WorkerResult is what one worker did in a trial.
type WorkerResult struct {
	Worker
	// Operations is the number completed; each workload says what one is.
	Operations int64
	// Start is when the worker passed the start gate, End when its work was done.
	Start, End time.Duration
	// After was read at the end gate.
	After Counters
	// Died says that the worker's process ended before that, as the workload
	// wants it: then End is when that was noticed, and After is zero.
	Died bool
}
