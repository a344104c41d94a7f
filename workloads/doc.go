//go:build linux

// Package workloads holds the bundled loads and runs them in two modes, as
// processes and as threads, with one worker body for both.
//
//	Plan.Run → for each Trial:
//	    start hosts   this program again, as worker hosts (HostMain)
//	    gather        every worker blocked at the start gate, counters read
//	    Ready         the observer begins to watch
//	    open the gate workers work to the deadline or their number of operations
//	    gather        every worker blocked at the end gate, counters read
//	    Stopped       the observer reads its figures
//	    kill hosts    and reap them
//
// Tool and hosts share one page set, the board, which carries the gates and
// each worker's identity, stamps and result. Nothing else passes between them
// while workers work.
//
// # A worker is one thread that Go has let go of
//
// A worker locks itself to its thread, prepares, and then tells the Go
// scheduler that it enters a system call, which never ends: its whole work is,
// to Go, that call. So Go neither preempts it nor counts it as active, and with
// every worker gone the Go runtime's monitor thread goes to sleep too. Were a
// worker ordinary Go code, the monitor would wake 100 times a second in every
// host, preempt CPU-bound workers and load processes more than threads.
//
// The price is a rule for bodies: see the body field of Workload.
//
// # Adding a workload
//
// Write one file with a function that returns a Workload, and name that
// function in Catalogue.
package workloads
