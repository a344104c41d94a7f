package main

import (
	"os"
	"testing"
	"time"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/workloads"
)

// The time of hosts without their workers counts as the tool's.
func TestTheToolsTimeIsWithoutItsWorkers(t *testing.T) {
	const ms = time.Millisecond
	before := toolClock{10 * ms, map[workloads.PID]time.Duration{7: 5 * ms, 8: 1 * ms, 9: 1 * ms}}
	now := toolClock{13 * ms, map[workloads.PID]time.Duration{7: 105 * ms, 9: 60 * ms}} // 8 has ended
	worker := func(pid workloads.PID, ran time.Duration, died bool) workloads.WorkerResult {
		return workloads.WorkerResult{
			Worker: workloads.Worker{PID: pid, Before: workloads.Counters{Runtime: ms}},
			After:  workloads.Counters{Runtime: ms + ran}, Died: died,
		}
	}
	workers := []workloads.WorkerResult{
		worker(7, 40*ms, false), worker(7, 55*ms, false), worker(8, 0, true), worker(9, 0, true),
	}
	// 3 ms of this process, and 5 ms of host 7. The time of host 9's dead worker is not known.
	if got := now.since(before, workers, nil); got != (8 * ms).Nanoseconds() {
		t.Errorf("the tool had %v, want 8 ms", time.Duration(got))
	}
	// The time of tasks that workers created may be part of a host's time.
	if got := now.since(before, workers, &report.Created{Tasks: 1}); got != (3 * ms).Nanoseconds() {
		t.Errorf("beside created tasks the tool had %v, want 3 ms", time.Duration(got))
	}
}

func TestTheToolsClockCountsThisProcess(t *testing.T) {
	self := workloads.PID(os.Getpid())
	before, err := readToolClock([]workloads.PID{self, 1<<22 + 1})
	if err != nil || len(before.hosts) != 1 {
		t.Fatalf("%v, hosts %v, want one", err, before.hosts)
	}
	sum := 0
	for began := time.Now(); time.Since(began) < 100*time.Millisecond; {
		sum++
	}
	now, err := readToolClock([]workloads.PID{self})
	if err != nil {
		t.Fatal(err)
	}
	host := now.hosts[self] - before.hosts[self]
	own := now.own - before.own
	// Other programs may have had the core for most of the time.
	if own < 2*time.Millisecond || own > time.Second || (own-host).Abs() > 50*time.Millisecond || sum == 0 {
		t.Errorf("of 100 ms of work the process's clock counts %v, by its pid %v", own, host)
	}
}
