package symbol

import "syscall"

// registersOf returns what ptrace says of a stopped task.
func registersOf(r *syscall.PtraceRegs) Registers {
	return Registers{PC: r.Rip, SP: r.Rsp, FP: r.Rbp, DI: r.Rdi}
}
