//go:build linux

#include "textflag.h"

#define SYS_write 1
#define SYS_rt_sigreturn 15
#define SIGURG 23
#define SI_TKILL -6

// The signals that a fault of this process itself can cause: SIGILL, SIGTRAP, SIGBUS,
// SIGFPE, SIGSEGV and SIGSYS.
#define FAULTS (1<<4 | 1<<5 | 1<<7 | 1<<8 | 1<<11 | 1<<31)

// onSignal is the handler of every signal that can be caught. The kernel calls it:
// DI is the signal, SI the siginfo. See signals.go.
TEXT ·onSignal(SB), NOSPLIT|NOFRAME, $0
	MOVL 8(SI), AX // si_code
	MOVL 16(SI), CX // si_pid
	CMPL DI, $SIGURG
	JNE  thread
	// If too many signals are queued for the user, the kernel sends those of the runtime
	// without a sender.
	TESTL CX, CX
	JEQ  runtime

thread:
	CMPL AX, $SI_TKILL
	JNE  fault
	CMPL CX, ·ownPID(SB)
	JEQ  runtime

fault:
	CMPL AX, $0
	JLE  take
	MOVQ $FAULTS, CX
	BTQ  DI, CX
	JCS  runtime

take:
	MOVL ·catchFD(SB), DI
	MOVL $128, DX
	MOVL $SYS_write, AX
	SYSCALL
	RET

runtime:
	LEAQ ·runtimeHandlers(SB), AX
	MOVQ (AX)(DI*8), AX
	CMPQ AX, $1 // SIG_IGN
	JLS  none
	JMP  AX

none:
	RET

// signalReturn is the code to which a handler returns.
TEXT ·signalReturn(SB), NOSPLIT|NOFRAME, $0
	MOVQ $SYS_rt_sigreturn, AX
	SYSCALL
	INT  $3

// func handlerCode() (handler, restorer uintptr)
TEXT ·handlerCode(SB), NOSPLIT, $0-16
	LEAQ ·onSignal(SB), AX
	MOVQ AX, handler+0(FP)
	LEAQ ·signalReturn(SB), AX
	MOVQ AX, restorer+8(FP)
	RET
