//go:build linux

#include "textflag.h"

#define SYS_write 64
#define SYS_rt_sigreturn 139
#define SIGURG 23
#define SI_TKILL -6

// The signals that a fault of this process itself can cause: SIGILL, SIGTRAP, SIGBUS,
// SIGFPE, SIGSEGV and SIGSYS.
#define FAULTS (1<<4 | 1<<5 | 1<<7 | 1<<8 | 1<<11 | 1<<31)

// onSignal is the handler of every signal that can be caught. The kernel calls it:
// R0 is the signal, R1 the siginfo. See signals.go.
TEXT ·onSignal(SB), NOSPLIT|NOFRAME, $0
	MOVW 8(R1), R3 // si_code
	MOVW 16(R1), R4 // si_pid
	CMPW $SIGURG, R0
	BNE  thread
	// If too many signals are queued for the user, the kernel sends those of the runtime
	// without a sender.
	CBZW R4, runtime

thread:
	CMPW $SI_TKILL, R3
	BNE  fault
	MOVW ·ownPID(SB), R5
	CMPW R4, R5
	BEQ  runtime

fault:
	CMPW $0, R3
	BLE  take
	MOVD $FAULTS, R4
	LSR  R0, R4
	TBNZ $0, R4, runtime

take:
	MOVW ·catchFD(SB), R0
	MOVD $128, R2
	MOVD $SYS_write, R8
	SVC
	RET

runtime:
	MOVD $·runtimeHandlers(SB), R4
	ADD  R0<<3, R4
	MOVD (R4), R4
	CMP  $1, R4 // SIG_IGN
	BLS  none
	JMP  (R4)

none:
	RET

// signalReturn is the code to which a handler returns.
TEXT ·signalReturn(SB), NOSPLIT|NOFRAME, $0
	MOVD $SYS_rt_sigreturn, R8
	SVC
	BRK

// func handlerCode() (handler, restorer uintptr)
TEXT ·handlerCode(SB), NOSPLIT, $0-16
	MOVD $·onSignal(SB), R0
	MOVD R0, handler+0(FP)
	MOVD $·signalReturn(SB), R0
	MOVD R0, restorer+8(FP)
	RET
