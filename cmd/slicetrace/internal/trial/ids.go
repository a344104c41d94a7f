package trial

import (
	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/report/sched"
	"github.com/slicetrace/slicetrace/workloads"
)

// Package workloads has types of its own for the ids of cores, threads and processes, since it
// imports no package of the tracer's. Only this file converts them.

// Tasks returns the tasks by which the tracer knows a trial's workers, in the workers' order.
func Tasks(workers []workloads.Worker) []collector.Task {
	tasks := make([]collector.Task, 0, len(workers))
	for _, w := range workers {
		tasks = append(tasks, collector.Task{
			PID: pidOf(w), TID: tidOf(w), Children: collector.Counted,
			Voluntary: w.Before.Voluntary, Involuntary: w.Before.Involuntary,
		})
	}
	return tasks
}

// TaskOfCommand returns the task by which the tracer knows a command that waits at its gate with
// these counters.
func TaskOfCommand(command *workloads.Running, before workloads.Counters) collector.Task {
	pid := sched.PID(command.PID())
	return collector.Task{
		PID: pid, TID: pid.Leader(), Children: collector.Listed,
		Voluntary: before.Voluntary, Involuntary: before.Involuntary,
	}
}

// CPUs returns the cores of a plan or of a trial as a report has them; nil stays nil.
func CPUs(cpus []workloads.CPU) []sched.CPU { return converted[sched.CPU](cpus) }

// WorkloadCPUs returns cores as a plan has them; nil stays nil.
func WorkloadCPUs(cpus []sched.CPU) []workloads.CPU { return converted[workloads.CPU](cpus) }

func pidOf(w workloads.Worker) sched.PID { return sched.PID(w.PID) }

func tidOf(w workloads.Worker) sched.TID { return sched.TID(w.TID) }

func converted[To, From ~int](cpus []From) []To {
	if cpus == nil {
		return nil
	}
	to := make([]To, len(cpus))
	for i, cpu := range cpus {
		to[i] = To(cpu)
	}
	return to
}
