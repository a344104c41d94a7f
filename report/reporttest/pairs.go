package reporttest

import "github.com/slicetrace/slicetrace/report"

// addPairs adds pairs of every kind and relation to each trial, which has control groups with these numbers: a
// ping-pong, tasks that are not told apart, and an interrupt.
func addPairs(r *report.Report, group, other uint64) {
	const ms = 1_000_000
	postgres := &report.PairTask{PID: 1000, Process: "postgres", Comm: "postgres", Group: group}
	nginx := &report.PairTask{PID: 1003, Process: "nginx", Comm: "nginx", Group: other, UID: 33}
	agent := &report.PairTask{PID: 1050, Process: "agent", Comm: "agent", Group: other, UID: 1001}
	sampler := &report.PairTask{PID: 1050, Process: "agent", Comm: "sampler", Group: other, UID: 1001}
	worker := &report.PairTask{PID: 91, Process: "kworker/1:2", Comm: "kworker/1:2", Kernel: true}
	for i := range r.Trials {
		n := uint64(i + 1)
		r.Trials[i].Why.Pairs = []report.Pair{
			{Kind: report.PairTaken, Task: agent, By: sampler, Count: 900 * n, WaitNS: 140 * ms},
			{Kind: report.PairTaken, Task: agent, By: postgres, Count: 200, WaitNS: 39 * ms},
			{Kind: report.PairTaken, Task: agent, By: nginx, Count: 51, WaitNS: 11 * ms},
			{Kind: report.PairWoken, Task: postgres, By: nginx, Count: 700 * n, WaitNS: 7 * ms},
			{Kind: report.PairTaken, Task: postgres, By: worker, Count: 12, WaitNS: 4 * ms},
			{Kind: report.PairWoken, Task: nginx, By: postgres, Count: 690 * n, WaitNS: 3 * ms},
			{Kind: report.PairWoken, Task: postgres, Interrupt: true, Count: 100, WaitNS: 2 * ms},
			{Kind: report.PairTaken, Task: nginx, Count: 3, WaitNS: ms},
			{Kind: report.PairWoken, Count: 8, WaitNS: ms / 2},
		}
	}
}
