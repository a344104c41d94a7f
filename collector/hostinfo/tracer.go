package hostinfo

// Tracer is asked for what only the kernel's own structures tell.
type Tracer interface {
	HookUse() HookUse
	// SwitchHook is the hook that ends the switch phase: a tracepoint's name, or "kprobe:"
	// and a kernel function's, "" for none.
	SwitchHook() string
}

// HookUse is what happens on the tracer's hooks beside its own programs.
type HookUse struct {
	// Tracers names who else uses those that a switch, a wakeup or a tick goes
	// through, and LifecycleTracers those of a task's birth and end: "none", or "" where
	// that is not known.
	Tracers, LifecycleTracers string
	// Syscalls is what system calls have to do for others, "none" or "" likewise.
	Syscalls string
	// Runs is how often the program of sched_switch ran while the kernel counted.
	Runs uint64
}
