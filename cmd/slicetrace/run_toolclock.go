package main

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/workloads"
)

// toolClock tells how much CPU time slicetrace's own processes have had: this one, and
// those that hold workers, by process. Their kernel counts it as it counts the workers'.
type toolClock struct {
	own   time.Duration
	hosts map[int]time.Duration
}

// readToolClock leaves out the hosts that have ended.
func readToolClock(pids []int) (toolClock, error) {
	own, err := cpuTime(0)
	if err != nil {
		return toolClock{}, err
	}
	c := toolClock{own, make(map[int]time.Duration, len(pids))}
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

// cpuTime is that of all threads that a process has had, this one's for 0.
func cpuTime(pid int) (time.Duration, error) {
	const ofProcessByScheduler = 2 // CPUCLOCK_SCHED, without CPUCLOCK_PERTHREAD_MASK
	var spent unix.Timespec
	err := unix.ClockGettime(int32(^pid<<3|ofProcessByScheduler), &spent)
	return time.Duration(spent.Nano()), err
}

// since is what they had since before that was neither workers' nor that of tasks which
// workers created: where these are threads, their time is not known apart from their
// host's, and only this process's own is told.
func (c toolClock) since(before toolClock, workers []workloads.WorkerResult, created *report.Created) int64 {
	spent := c.own - before.own
	if created != nil {
		return spent.Nanoseconds()
	}
	hosts := make(map[int]time.Duration)
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
