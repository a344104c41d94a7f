package symbol

import "syscall"

// registersOf returns what ptrace says of a stopped task.
func registersOf(r *syscall.PtraceRegs) Registers {
	return Registers{PC: r.Pc, SP: r.Sp, FP: r.Regs[29], LR: r.Regs[30]}
}
