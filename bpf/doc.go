// Package bpf is the kernel half of slicetrace: programs on the scheduler's
// and the timer's tracepoints, the maps that they count in, and Load, which
// brings into the kernel what this kernel supports.
//
//	sched_entry_tp ─ e0 ┐
//	sched_switch ─ s0 … s1 ┤→ st_cores   counters and histograms, one element a core
//	sched_exit_tp ─ x0 ┘   → st_workers  one element a watched task
//	sched_wakeup(_new)     → who was woken onto which core, since when a worker waits
//	sched_process_fork     → children of watched tasks are watched, from sched_wakeup_new
//	                         at the latest
//	sched_process_exec     → the tid that a thread takes over from another
//	sched_process_exit     → when a watched task ended
//	hrtimer_expire_entry, _exit → ticks, and which of them asked for a switch
//	an iterator over tasks → the address of a task that is to be watched
//
// Nothing is streamed but the records of watched tasks that ended. The layout
// of the maps stands in layout.h; the bindings are generated and committed.
package bpf
