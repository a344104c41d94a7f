package reporttest

import "github.com/slicetrace/slicetrace/report"

// Blocked returns a report of a program with the stacks at which its tasks were off their cores: of a thread
// that waits for a lock, of a thread that reads from a disk and was stopped by a quota, and of one that was
// preempted. Some functions are inlined, some have no names, and one stack has no functions.
func Blocked() *report.Report {
	r := Command()
	r.Frames = []report.Frame{
		0:  {Function: "schedule", Module: "kernel", Kernel: true},
		1:  {Function: "futex_wait_queue", Module: "kernel", Kernel: true},
		2:  {Function: "io_schedule", Module: "kernel", Kernel: true},
		3:  {Function: "ext4_file_read_iter", Module: "ext4", Kernel: true},
		4:  {Function: "__lll_lock_wait", Module: "libc.so.6"},
		5:  {Function: "std::mutex::lock()", Module: "make", Inlined: true},
		6:  {Function: "Queue<Job, 16>::pop(Job&)", Module: "make"},
		7:  {Function: "main", Module: "make"},
		8:  {Unnamed: "stripped", Module: "libjobs.so", Address: 0x7f3a_1200_10f4},
		9:  {Unnamed: "not in a file", Address: 0x7f3a_9900_0040},
		10: {Function: "main.(*pool).run", Module: "make", File: "pool.go", Line: 41},
		11: {Unnamed: "stripped", Module: "libjobs.so", Address: 0x7f3a_1200_2210},
		12: {Function: "preempt_schedule_irq", Module: "kernel", Kernel: true},
		13: {Function: "main.step", Module: "make", File: "pool.go", Line: 12, Inlined: true},
	}
	r.Stacks = []report.Stack{{0, 1, 4, 5, 6, 7}, {0, 2, 3, 8, 11, 7}, {0, 12, 9, 13, 10}, {}, {0, 12}}
	pid := r.Trials[0].Workers[0].PID
	lock := report.StackWait{
		PID: pid, Process: "make", Comm: "make", Group: 4711, State: report.Sleeping, Stack: 0,
		Waker:   &report.Waker{PID: pid, Comm: "jobs", Stack: 4},
		Samples: 40, Times: 80.5, BlockedNS: 900_000_000, WaitNS: 3_000_000, LongestNS: 60_000_000,
	}
	disk := report.StackWait{
		PID: pid, Process: "make", Comm: "jobs", Group: 4711, State: report.Uninterruptible, IOWait: true, Stack: 1,
		Waker: &report.Waker{Interrupt: true, Stack: -1}, Samples: 12, Times: 12,
		BlockedNS: 200_000_000, WaitNS: 1_000_000, ThrottledNS: 30_000_000, LongestNS: 41_000_000,
	}
	preempted := report.StackWait{
		PID: pid, Process: "make", Comm: "jobs", Group: 4711, State: report.Runnable, Stack: 2,
		Samples: 3, Times: 9.4, WaitNS: 50_000_000, LongestNS: 8_000_000,
	}
	other := report.StackWait{
		PID: pid + 1, Comm: "sh", Group: 1, State: report.Sleeping, Stack: 3,
		Samples: 1, Times: 1, BlockedNS: 1_500_000, WaitNS: 999, LongestNS: 1_500_999,
	}
	r.Trials[0].Why = &report.Why{
		BlockNS: 1_000_000, Taken: 56, Skipped: 47, Lost: 2, WalkNS: 180_000,
		Waits: []report.StackWait{lock, disk, preempted, other},
	}
	return r
}
