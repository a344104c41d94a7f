//go:build linux

#include "textflag.h"

#define SYS_close 57
#define SYS_read 63
#define SYS_write 64
#define SYS_exit_group 94
#define SYS_getpid 172
#define SYS_clone 220
#define SIGCHLD 17

// func forkAgent(socket, ours uintptr) (pid int)
TEXT ·forkAgent(SB), NOSPLIT, $0-24
	MOVD socket+0(FP), R19
	MOVD ours+8(FP), R20
	MOVD $SIGCHLD, R0
	MOVD $0, R1
	MOVD $0, R2
	MOVD $0, R3
	MOVD $0, R4
	MOVD $SYS_clone, R8
	SVC
	CBZ  R0, child
	MOVD R0, pid+16(FP)
	RET

child:
	MOVD R20, R0
	MOVD $SYS_close, R8
	SVC
	B ·serve(SB)

// serve is all that an agent does: see agent.go. R19 is its socket. It uses no memory other
// than its stack, and no address of its own, since it is also copied into a program. When
// that starts, the kernel has cleared the registers: so the socket is descriptor 0 there.
TEXT ·serve(SB), NOSPLIT|NOFRAME, $0
	SUB  $256, RSP
	ADD  $64, RSP, R20
	MOVD $SYS_getpid, R0 // the last call if no other is requested
	MOVD R0, -64(R20)

next:
	MOVD R19, R0
	MOVD R20, R1
	MOVD $64, R2
	MOVD $SYS_read, R8
	SVC
	CMP  $64, R0
	BNE  gone
	MOVD 56(R20), R0
	CBNZ R0, last
	MOVD 0(R20), R8
	MOVD 8(R20), R0
	MOVD 16(R20), R1
	MOVD 24(R20), R2
	MOVD 32(R20), R3
	MOVD 40(R20), R4
	MOVD 48(R20), R5
	SVC
	MOVD R0, 0(R20)
	MOVD R19, R0
	MOVD R20, R1
	MOVD $8, R2
	MOVD $SYS_write, R8
	SVC
	B    next

last:
	ADD $64, R20
	B   next

gone:
	MOVD -64(R20), R8
	MOVD -56(R20), R0
	MOVD -48(R20), R1
	MOVD -40(R20), R2
	MOVD -32(R20), R3
	MOVD -24(R20), R4
	MOVD -16(R20), R5
	SVC
	MOVD $1, R0
	MOVD $SYS_exit_group, R8
	SVC
	BRK

// func serveCode() unsafe.Pointer
TEXT ·serveCode(SB), NOSPLIT, $0-8
	MOVD $·serve(SB), R0
	MOVD R0, ret+0(FP)
	RET
