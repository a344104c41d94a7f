// Package sched has the types of the ids by which the kernel's scheduler tells cores, threads and
// processes apart, so that none is taken for another. Only system calls, files of /proc and the
// layouts that are shared with BPF programs have them as plain numbers.
package sched

// CPU is a core's number: a logical CPU, as the kernel numbers them. They need not be consecutive.
type CPU int

// TID is the id of a task, which is a thread: what gettid returns and the kernel itself calls pid.
// 0 is the idle task of any core. A task can change its TID, and another can get it later.
type TID int

// PID is the id of a process, which is the TID of its first thread: what getpid returns and the
// kernel calls tgid.
type PID int

// Leader returns the process's first thread, which the kernel calls its group leader.
func (p PID) Leader() TID { return TID(p) }
