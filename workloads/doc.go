//go:build linux

// Package workloads holds the bundled loads and runs them in two modes, as
// processes and as threads, with one worker body for both.
//
//	Plan.Run → for each Trial:
//	    start hosts   this program again, as worker hosts (HostMain)
//	    gather        every worker is blocked at the start gate, counters are read
//	    Ready         the observer begins to watch
//	    open the gate workers work to the deadline or for their number of operations
//	    gather        every worker is blocked at the end gate, counters are read
//	    Stopped       the observer reads its figures
//	    kill hosts    and wait for their ends
//
// The tool and its hosts share one piece of memory (sharedMemory), which holds the gates
// and each worker's identity, time stamps and result. They exchange nothing else while
// the workers work.
//
// The loads are in the files load_*.go. A command of the user's is run by StartCommand
// (command*.go), with the help of an agent: a child that makes system calls on request.
//
// # A worker is a thread that Go's scheduler does not touch
//
// A worker locks itself to its thread, prepares, and then tells the Go scheduler that it
// enters a system call. That call never ends: as far as Go knows, all of the worker's
// work is inside it. So Go neither preempts the worker nor counts it as active, and once
// every worker has done this, the Go runtime's monitor thread goes to sleep too. If a
// worker were ordinary Go code, the monitor would wake 100 times a second in every host,
// preempt CPU-bound workers, and load processes more than threads.
//
// The price is a rule for bodies: see the body field of Workload.
//
// # Times
//
// Times are time.Duration, and points in time are durations since CLOCK_MONOTONIC began. Only
// the shared memory has nanoseconds as plain numbers, since workers write them.
//
// # Adding a workload
//
// Write one file, load_NAME.go, with a function that returns a Workload, and name that
// function in Catalogue.
package workloads
