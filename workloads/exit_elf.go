//go:build linux

package workloads

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"unsafe"
)

// programAddress is where a program that we made is loaded.
const programAddress = 0x400000

// exitProgram returns a program that only exits.
func exitProgram() []byte { return program(exitCode) }

// program returns an executable file of one segment, the code.
func program(code string) []byte {
	const headers = uint64(unsafe.Sizeof(elf.Header64{}) + unsafe.Sizeof(elf.Prog64{}))
	length := headers + uint64(len(code))
	file := elf.Header64{
		Type:      uint16(elf.ET_EXEC),
		Machine:   exitMachine,
		Version:   uint32(elf.EV_CURRENT),
		Entry:     programAddress + headers,
		Phoff:     uint64(unsafe.Sizeof(elf.Header64{})),
		Ehsize:    uint16(unsafe.Sizeof(elf.Header64{})),
		Phentsize: uint16(unsafe.Sizeof(elf.Prog64{})),
		Phnum:     1,
	}
	copy(file.Ident[:], elf.ELFMAG)
	file.Ident[elf.EI_CLASS] = byte(elf.ELFCLASS64)
	file.Ident[elf.EI_DATA] = byte(elf.ELFDATA2LSB)
	file.Ident[elf.EI_VERSION] = byte(elf.EV_CURRENT)
	segment := elf.Prog64{
		Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X),
		Vaddr: programAddress, Paddr: programAddress, Filesz: length, Memsz: length, Align: 0x10000,
	}
	var out bytes.Buffer
	// A write to memory cannot fail, nor can the encoding of fixed-size numbers.
	_ = binary.Write(&out, binary.LittleEndian, file)
	_ = binary.Write(&out, binary.LittleEndian, segment)
	out.WriteString(code)
	return out.Bytes()
}
