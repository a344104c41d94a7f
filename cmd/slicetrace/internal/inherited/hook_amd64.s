//go:build linux && !cgo && go1.26 && !go1.28

#include "textflag.h"

#define SYS_rt_sigaction 13
#define SYS_rt_sigprocmask 14
#define SYS_fcntl 72
#define SYS_rt_sigtimedwait 128
#define SYS_arch_prctl 158
#define SYS_prlimit64 302
#define ARCH_SET_FS 0x1002
#define F_GETFD 1
#define RLIMIT_NOFILE 7

// runtime·rt0_go calls this on the stack that the kernel made, with argc and argv
// above the return address.
TEXT inherited_hook(SB), NOSPLIT|NOFRAME, $0
	MOVQ 40(SP), R13 // argv
	MOVQ 32(SP), R12 // argc
	SUBQ $40, SP
	LEAQ ·state(SB), BX

	XORL R14, R14

descriptor:
	MOVL  R14, DI
	MOVL  $F_GETFD, SI
	XORL  DX, DX
	MOVL  $SYS_fcntl, AX
	SYSCALL
	TESTQ AX, AX
	JGE   open
	BTSQ  R14, 16(BX)

open:
	INCL R14
	CMPL R14, $3
	JLT  descriptor

	MOVL $1, R14

signal:
	MOVL  R14, DI
	XORL  SI, SI
	MOVQ  SP, DX
	MOVL  $8, R10
	MOVL  $SYS_rt_sigaction, AX
	SYSCALL
	TESTQ AX, AX
	JNE   heeded
	CMPQ  0(SP), $1 // SIG_IGN
	JNE   heeded
	LEAQ  -1(R14), CX
	MOVQ  0(BX), AX
	BTSQ  CX, AX
	MOVQ  AX, 0(BX)

heeded:
	INCL R14
	CMPL R14, $64
	JLE  signal

	XORL DI, DI
	XORL SI, SI
	LEAQ 8(BX), DX
	MOVL $8, R10
	MOVL $SYS_rt_sigprocmask, AX
	SYSCALL

	MOVQ $0, 0(SP) // a struct timespec
	MOVQ $0, 8(SP)
	XORL R14, R14

pending:
	LEAQ  8(BX), DI
	MOVQ  R14, SI
	SHLQ  $7, SI
	LEAQ  72(BX)(SI*1), SI
	MOVQ  SP, DX
	MOVL  $8, R10
	MOVL  $SYS_rt_sigtimedwait, AX
	SYSCALL
	TESTQ AX, AX
	JLE   taken
	INCL  R14
	CMPL  R14, $32
	JLT   pending

taken:
	MOVQ R14, 64(BX)

	XORL DI, DI
	MOVL $RLIMIT_NOFILE, SI
	XORL DX, DX
	LEAQ 24(BX), R10
	MOVL $SYS_prlimit64, AX
	SYSCALL

	LEAQ 8(R13)(R12*8), R15 // past the null after the last argument
	MOVQ R15, 40(BX)
	MOVQ $1, 48(BX)

	// Is the first argument "run"?
	CMPQ R12, $2
	JLT  done
	MOVQ 8(R13), AX
	CMPL (AX), $0x006e7572
	JNE  done
	MOVQ $1, 56(BX)

variable:
	MOVQ  (R15), AX
	TESTQ AX, AX
	JEQ   done
	ADDQ  $8, R15
	CMPB  (AX), $'G'
	JNE   variable
	CMPB  1(AX), $'O'
	JNE   variable
	MOVB  $1, (AX)
	JMP   variable

done:
	// The runtime also expects the hook to make a place for the thread's g, below FS.
	MOVL $ARCH_SET_FS, DI
	LEAQ ·tls+32(SB), SI
	MOVL $SYS_arch_prctl, AX
	SYSCALL
	ADDQ $40, SP
	RET
