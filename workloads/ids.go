//go:build linux

package workloads

// CPU is a core's number: a logical CPU, as the kernel numbers them. They need not be consecutive.
type CPU int

// TID is a thread's id, as gettid returns it.
type TID int

// PID is a process's id, as getpid returns it, which is the TID of its first thread.
type PID int
