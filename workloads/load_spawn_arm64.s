//go:build linux

#include "textflag.h"

#define SYS_clone 220
#define SYS_exit 93
#define SYS_execveat 281
#define AT_EMPTY_PATH 0x1000

// func cloneTask(flags uintptr, stack unsafe.Pointer, tid *uint32, program int) (task int)
TEXT ·cloneTask(SB), NOSPLIT, $0-40
	MOVD flags+0(FP), R0
	MOVD stack+8(FP), R1
	MOVD $0, R2
	MOVD $0, R3
	MOVD tid+16(FP), R4
	MOVD program+24(FP), R9
	MOVD $SYS_clone, R8
	SVC
	CBZ  R0, child
	MOVD R0, task+32(FP)
	RET

child:
	// About 1 µs: a chain of multiplications.
	MOVD $1000, R10

work:
	MUL  R0, R0, R0
	SUBS $1, R10, R10
	BNE  work
	TBNZ $63, R9, exit
	MOVD R9, R0
	MOVD $·emptyPath(SB), R1
	MOVD $·programArgs(SB), R2
	MOVD $0, R3
	MOVD $AT_EMPTY_PATH, R4
	MOVD $SYS_execveat, R8
	SVC
	NEG  R0, R0 // the call failed
	B    end

exit:
	MOVD $0, R0

end:
	MOVD $SYS_exit, R8
	SVC
	BRK

DATA ·emptyPath(SB)/1, $0
GLOBL ·emptyPath(SB), RODATA, $1

// The name of the program, argv[0]. Some files contain several programs, such as busybox,
// and choose by this name.
DATA ·programName+0(SB)/8, $"true\x00\x00\x00\x00"
GLOBL ·programName(SB), RODATA, $8
DATA ·programArgs+0(SB)/8, $·programName(SB)
DATA ·programArgs+8(SB)/8, $0
GLOBL ·programArgs(SB), RODATA, $16
