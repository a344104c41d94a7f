// Package trial joins what workers did with what the tracer saw of them: it makes the
// report.Trial of a bundled workload's trial, of a command's, and the mark of either in a
// recording.
//
//	workloads.Result + collector.Interval → Of → report.Trial → Mark → recording.Mark
//
// Package workloads knows nothing of tracing, and package collector nothing of workloads. So the
// join belongs to neither, but to the commands, which run both. It is also where the workloads'
// time.Duration become the report's int64 nanoseconds, and where ids change their types.
package trial

import (
	"fmt"
	"syscall"

	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/recording"
	"github.com/slicetrace/slicetrace/report/sched"
	"github.com/slicetrace/slicetrace/workloads"
)

// Of returns the trial of bundled work: what the tracer saw of each worker, with what the
// worker counted itself. The run began at beganNS, in ns of CLOCK_MONOTONIC. The error names a
// worker that the tracer did not see, or one that died and whose last switch it did not see.
func Of(result workloads.Result, seen collector.Interval, beganNS int64) (report.Trial, error) {
	t := joined(result.Start.Nanoseconds(), result.End.Nanoseconds(), result.ToolSwitches, seen, beganNS)
	t.Workload, t.Variant = result.Trial.Workload, result.Trial.Variant
	t.Mode, t.Round = report.Mode(result.Trial.Mode), result.Trial.Round
	for _, f := range result.Figures {
		t.Figures = append(t.Figures, report.Figure{Name: f.Name, Value: f.Value})
	}
	if m := result.Memory; m != nil {
		t.Memory = &report.Memory{
			Processes: m.Processes, PSSBytes: m.PSS, PrivateBytes: m.Private, PageTableBytes: m.PageTables,
		}
	}
	rows := make(map[sched.TID]report.Worker, len(seen.Tasks))
	for _, task := range seen.Tasks {
		rows[task.TID] = task
	}
	t.Workers = make([]report.Worker, 0, len(result.Workers))
	for _, w := range result.Workers {
		row, ok := rows[tidOf(w.Worker)]
		switch {
		case !ok:
			return t, fmt.Errorf("worker %d of %s (task %d) was not seen by the tracer", w.Index, t.Workload, w.TID)
		case w.Died && !row.Exited:
			return t, fmt.Errorf("worker %d of %s (task %d) died, and its last switch was not seen",
				w.Index, t.Workload, w.TID)
		}
		t.Workers = append(t.Workers, workerOf(row, w))
		t.Operations += w.Operations
	}
	return t, nil
}

// workerOf completes the tracer's row of a worker.
func workerOf(row report.Worker, w workloads.WorkerResult) report.Worker {
	row.Index, row.PID, row.Comm, row.Nice, row.Operations = w.Index, pidOf(w.Worker), w.Comm, w.Nice, w.Operations
	if !w.Died { // the counters of one that died were read at its last switch
		row.Kernel = &report.KernelCounters{
			Voluntary:   w.After.Voluntary - w.Before.Voluntary,
			Involuntary: w.After.Involuntary - w.Before.Involuntary,
			RuntimeNS:   (w.After.Runtime - w.Before.Runtime).Nanoseconds(),
		}
	}
	return row
}

// Command is what is known of a command that was traced, besides what the tracer saw.
type Command struct {
	// Label is the trial's name, and Round its round.
	Label string
	Round int
	// StartNS is when the command was let through its gate, EndNS when it had ended, both by
	// CLOCK_MONOTONIC.
	StartNS, EndNS int64
	// ToolSwitches is as in workloads.Result.
	ToolSwitches uint64
	// Status is how the command ended, and Usage what it has used.
	Status syscall.WaitStatus
	Usage  *syscall.Rusage
}

// ExitStatus returns the exit status of a command as a shell shows it.
func ExitStatus(status syscall.WaitStatus) int {
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}

// OfCommand returns the trial of a command, whose workers are all tasks that the tracer watched.
// The run began at beganNS, in ns of CLOCK_MONOTONIC.
func OfCommand(c Command, seen collector.Interval, beganNS int64) report.Trial {
	t := joined(c.StartNS, c.EndNS, c.ToolSwitches, seen, beganNS)
	c.describe(&t)
	t.Workers = seen.Tasks
	return t
}

// Untraced returns the trial of a command that ran without the tracer.
func Untraced(c Command, beganNS int64) report.Trial {
	startedNS := c.StartNS - beganNS
	t := report.Trial{DurationNS: c.EndNS - c.StartNS, StartedNS: &startedNS}
	c.describe(&t)
	return t
}

func (c *Command) describe(t *report.Trial) {
	status := ExitStatus(c.Status)
	t.Workload, t.Mode, t.Round, t.ExitStatus = c.Label, report.Command, c.Round, &status
	if c.Usage != nil {
		ns := c.Usage.Utime.Nano() + c.Usage.Stime.Nano()
		t.CPUNS = &ns
	}
}

// joined returns what the trials of bundled work and of commands have in common.
func joined(startNS, endNS int64, toolSwitches uint64, seen collector.Interval, beganNS int64) report.Trial {
	startedNS := startNS - beganNS
	if seen.Why != nil {
		seen.Why.KeepMostPairs()
	}
	return report.Trial{
		DurationNS:   endNS - startNS,
		StartedNS:    &startedNS,
		Cores:        seen.Cores,
		Created:      seen.Created,
		Lost:         seen.Lost,
		ToolSwitches: &toolSwitches,
		Why:          seen.Why,
	}
}

// Mark returns the recording's mark of a trial that Of or OfCommand has returned. The run began
// at beganNS, in ns of CLOCK_MONOTONIC.
func Mark(t *report.Trial, beganNS int64) recording.Mark {
	start := beganNS + *t.StartedNS
	m := recording.Mark{
		Workload: t.Workload, Variant: t.Variant, Mode: string(t.Mode), Round: t.Round,
		StartNS: start, EndNS: start + t.DurationNS,
	}
	for i := range t.Workers {
		m.Workers = append(m.Workers, t.Workers[i].TID)
	}
	return m
}

// OfReading returns the trial of one interval of a machine that was watched: the number of the interval,
// from 1. It ended at endNS, and the watch began at beganNS, in ns of CLOCK_MONOTONIC. toolNS is the
// CPU time that slicetrace itself took meanwhile.
func OfReading(seen *collector.Reading, number int, endNS, beganNS, toolNS int64) report.Trial {
	started := max(0, endNS-seen.DurationNS-beganNS)
	system := seen.System
	system.Compared, system.Reconciled = seen.Ended, seen.Reconciled
	return report.Trial{
		Mode: report.SystemMode, Round: number, DurationNS: seen.DurationNS, StartedNS: &started,
		Cores: seen.Cores, Workers: []report.Worker{}, Lost: seen.Lost, ToolNS: &toolNS, System: &system,
		Why: seen.Why,
	}
}
