//go:build linux

package workloads

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// programAddress is the address at which the programs made here are loaded.
const programAddress = 0x400000

// exitProgram returns a program that only exits.
func exitProgram() []byte { return program(exitCode) }

// program returns the text of an executable file with one segment, the code.
func program(code string) []byte {
	const headers = uint64(unsafe.Sizeof(elf.Header64{}) + unsafe.Sizeof(elf.Prog64{}))
	length := headers + uint64(len(code))
	file := elf.Header64{
		Type:      uint16(elf.ET_EXEC),
		Machine:   programMachine,
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
	// Writes to memory and the encoding of fixed-size numbers cannot fail.
	_ = binary.Write(&out, binary.LittleEndian, file)
	_ = binary.Write(&out, binary.LittleEndian, segment)
	out.WriteString(code)
	return out.Bytes()
}

// writeProgram writes a program into a file in memory, or in dir if that is not "". No
// other process can find the file. It returns a descriptor by which it can be executed.
func writeProgram(dir, name string, text []byte) (int, error) {
	var file *os.File
	if dir == "" {
		fd, err := memoryFile(name, unix.MFD_EXEC)
		if err != nil {
			return -1, fmt.Errorf("create: %w", err)
		}
		file = os.NewFile(uintptr(fd), name)
	} else {
		var err error
		if file, err = os.CreateTemp(dir, name+"-*"); err != nil {
			return -1, fmt.Errorf("create: %w", syscallError(err))
		}
		defer os.Remove(file.Name())
		if err := file.Chmod(0o500); err != nil {
			file.Close()
			return -1, fmt.Errorf("create: %w", syscallError(err))
		}
	}
	defer file.Close()
	if _, err := file.Write(text); err != nil {
		return -1, fmt.Errorf("write: %w", syscallError(err))
	}
	// The kernel does not execute a file that is open for writing.
	readable, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", file.Fd()), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("open: %w", err)
	}
	return readable, nil
}

// syscallError returns err without the name of a temporary file.
func syscallError(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
