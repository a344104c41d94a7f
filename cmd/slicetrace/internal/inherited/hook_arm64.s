//go:build linux && !cgo && go1.26 && !go1.28

#include "textflag.h"

#define SYS_fcntl 25
#define SYS_rt_sigaction 134
#define SYS_rt_sigprocmask 135
#define SYS_rt_sigtimedwait 137
#define SYS_prlimit64 261
#define F_GETFD 1
#define RLIMIT_NOFILE 7

// runtime·rt0_go calls this on the stack that the kernel made, with argc and argv
// above the 16 bytes that it leaves to what it calls.
TEXT inherited_hook(SB), NOSPLIT|NOFRAME, $0
	MOVWU 24(RSP), R19 // argc
	MOVD  32(RSP), R20 // argv
	SUB   $48, RSP
	MOVD  $·state(SB), R21
	MOVD  $1, R23

	MOVD $0, R22

descriptor:
	MOVD R22, R0
	MOVD $F_GETFD, R1
	MOVD $0, R2
	MOVD $SYS_fcntl, R8
	SVC
	TBZ  $63, R0, open
	LSL  R22, R23, R1
	MOVD 16(R21), R0
	ORR  R1, R0
	MOVD R0, 16(R21)

open:
	ADD $1, R22
	CMP $3, R22
	BLT descriptor

	MOVD $1, R22

signal:
	MOVD R22, R0
	MOVD $0, R1
	ADD  $8, RSP, R2
	MOVD $8, R3
	MOVD $SYS_rt_sigaction, R8
	SVC
	CBNZ R0, heeded
	MOVD 8(RSP), R0
	CMP  $1, R0 // SIG_IGN
	BNE  heeded
	SUB  $1, R22, R1
	LSL  R1, R23, R1
	MOVD 0(R21), R0
	ORR  R1, R0
	MOVD R0, 0(R21)

heeded:
	ADD $1, R22
	CMP $64, R22
	BLE signal

	MOVD $0, R0
	MOVD $0, R1
	ADD  $8, R21, R2
	MOVD $8, R3
	MOVD $SYS_rt_sigprocmask, R8
	SVC

	MOVD ZR, 8(RSP) // a struct timespec
	MOVD ZR, 16(RSP)
	MOVD $0, R22

pending:
	ADD  $8, R21, R0
	ADD  $72, R21, R1
	ADD  R22<<7, R1
	ADD  $8, RSP, R2
	MOVD $8, R3
	MOVD $SYS_rt_sigtimedwait, R8
	SVC
	CMP  $0, R0
	BLE  taken
	ADD  $1, R22
	CMP  $32, R22
	BLT  pending

taken:
	MOVD R22, 64(R21)

	MOVD $0, R0
	MOVD $RLIMIT_NOFILE, R1
	MOVD $0, R2
	ADD  $24, R21, R3
	MOVD $SYS_prlimit64, R8
	SVC

	ADD  R19<<3, R20, R24
	ADD  $8, R24 // past the null after the last argument
	MOVD R24, 40(R21)
	MOVD R23, 48(R21)

	// Is the first argument "run"?
	CMP  $2, R19
	BLT  done
	MOVD 8(R20), R0
	MOVBU 0(R0), R1
	CMP  $'r', R1
	BNE  done
	MOVBU 1(R0), R1
	CMP  $'u', R1
	BNE  done
	MOVBU 2(R0), R1
	CMP  $'n', R1
	BNE  done
	MOVBU 3(R0), R1
	CBNZ R1, done
	MOVD R23, 56(R21)

variable:
	MOVD 0(R24), R0
	CBZ  R0, done
	ADD  $8, R24
	MOVBU 0(R0), R1
	CMP  $'G', R1
	BNE  variable
	MOVBU 1(R0), R1
	CMP  $'O', R1
	BNE  variable
	MOVB R23, 0(R0)
	B    variable

done:
	ADD $48, RSP
	RET
