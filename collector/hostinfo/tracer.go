package hostinfo

// Tracer tells what can only be read from the kernel's own structures.
type Tracer interface {
	HookUse() HookUse
	// HookedFunctions returns the kernel functions on whose entries the tracer's programs run,
	// as in /proc/kallsyms.
	HookedFunctions() []string
}

// HookUse tells what happens on the tracer's hooks besides its own programs.
type HookUse struct {
	// Tracers names the other tracers on hooks that a switch, a wakeup or a tick passes, and
	// LifecycleTracers those on the hooks of a task's birth and end. Each is "none" if there
	// are none, and "" if that is not known.
	Tracers, LifecycleTracers string
	// Syscalls is what system calls have to do for tracing, auditing and the like; "none" if
	// nothing, and "" if that is not known.
	Syscalls string
	// Runs is how often the program on sched_switch ran while the kernel counted runs.
	Runs uint64
}
