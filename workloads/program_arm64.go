//go:build linux

package workloads

import "debug/elf"

// programMachine is the machine of programs in their ELF header. exitCode is the code of
// exit(0): mov x8, 93; mov x0, 0; svc 0.
const (
	programMachine = uint16(elf.EM_AARCH64)
	exitCode       = "\xa8\x0b\x80\xd2\x00\x00\x80\xd2\x01\x00\x00\xd4"
)
