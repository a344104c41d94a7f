//go:build linux

#include "textflag.h"

#define SYS_read 0
#define SYS_write 1
#define SYS_close 3
#define SYS_getpid 39
#define SYS_clone 56
#define SYS_exit_group 231
#define SIGCHLD 17

// func forkAgent(socket, ours uintptr) (pid int)
TEXT ·forkAgent(SB), NOSPLIT, $0-24
	MOVQ socket+0(FP), R12
	MOVQ ours+8(FP), R13
	MOVL $SIGCHLD, DI
	XORL SI, SI
	XORL DX, DX
	XORL R10, R10
	XORL R8, R8
	MOVL $SYS_clone, AX
	SYSCALL
	TESTQ AX, AX
	JZ   child
	MOVQ AX, pid+16(FP)
	RET

child:
	MOVQ R13, DI
	MOVL $SYS_close, AX
	SYSCALL
	JMP ·serve(SB)

// serve is all that an agent does: see agent.go. R12 is its socket. It uses no memory other
// than its stack, and no address of its own, since it is also copied into a program. When
// that starts, the kernel has cleared the registers: so the socket is descriptor 0 there.
TEXT ·serve(SB), NOSPLIT|NOFRAME, $0
	SUBQ $256, SP
	LEAQ 64(SP), R14
	MOVQ $SYS_getpid, -64(R14) // the last call if no other is requested

next:
	MOVQ R12, DI
	MOVQ R14, SI
	MOVL $64, DX
	MOVL $SYS_read, AX
	SYSCALL
	CMPQ AX, $64
	JNE  gone
	CMPQ 56(R14), $0
	JNE  last
	MOVQ 0(R14), AX
	MOVQ 8(R14), DI
	MOVQ 16(R14), SI
	MOVQ 24(R14), DX
	MOVQ 32(R14), R10
	MOVQ 40(R14), R8
	MOVQ 48(R14), R9
	SYSCALL
	MOVQ AX, 0(R14)
	MOVQ R12, DI
	MOVQ R14, SI
	MOVL $8, DX
	MOVL $SYS_write, AX
	SYSCALL
	JMP  next

last:
	ADDQ $64, R14
	JMP  next

gone:
	MOVQ -64(R14), AX
	MOVQ -56(R14), DI
	MOVQ -48(R14), SI
	MOVQ -40(R14), DX
	MOVQ -32(R14), R10
	MOVQ -24(R14), R8
	MOVQ -16(R14), R9
	SYSCALL
	MOVL $1, DI
	MOVL $SYS_exit_group, AX
	SYSCALL
	INT  $3

// func serveCode() unsafe.Pointer
TEXT ·serveCode(SB), NOSPLIT, $0-8
	LEAQ ·serve(SB), AX
	MOVQ AX, ret+0(FP)
	RET
