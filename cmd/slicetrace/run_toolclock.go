package main

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/workloads"
)

// toolClock is the CPU time that slicetrace's own processes have had, as the kernel counts
// it: this process, and the processes that host workers, by pid.
type toolClock struct {
	own   time.Duration
	hosts map[workloads.PID]time.Duration
}

// readToolClock reads the time of this process and of those hosts that have not ended.
func readToolClock(pids []workloads.PID) (toolClock, error) {
	own, err := cpuTime(0)
	if err != nil {
		return toolClock{}, err
	}
	c := toolClock{own, make(map[workloads.PID]time.Duration, len(pids))}
	for _, pid := range pids {
		if _, known := c.hosts[pid]; known {
			continue
		}
		if spent, err := cpuTime(pid); err == nil {
			c.hosts[pid] = spent
		}
	}
	return c, nil
}

// cpuTime returns the CPU time of all threads that a process has had; pid 0 is this
// process.
func cpuTime(pid workloads.PID) (time.Duration, error) {
	const ofProcessByScheduler = 2 // CPUCLOCK_SCHED, without CPUCLOCK_PERTHREAD_MASK
	var spent unix.Timespec
	err := unix.ClockGettime(int32(^pid<<3|ofProcessByScheduler), &spent)
	return time.Duration(spent.Nano()), err
}

// since returns the time in ns since before, without that of workers and of tasks that
// workers created. Where workers create threads, a host's own time cannot be told from
// theirs: then only the time of this process is returned.
func (c toolClock) since(before toolClock, workers []workloads.WorkerResult, created *report.Created) int64 {
	spent := c.own - before.own
	if created != nil {
		return spent.Nanoseconds()
	}
	hosts := make(map[workloads.PID]time.Duration)
	for pid, now := range c.hosts {
		if then, known := before.hosts[pid]; known {
			hosts[pid] = now - then
		}
	}
	for _, w := range workers {
		if w.Died {
			delete(hosts, w.PID)
		} else if left, known := hosts[w.PID]; known {
			hosts[w.PID] = left - (w.After.Runtime - w.Before.Runtime)
		}
	}
	for _, left := range hosts {
		spent += max(0, left)
	}
	return spent.Nanoseconds()
}
