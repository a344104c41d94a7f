package bpf

import (
	"fmt"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// Others lists the functions that the kernel calls at a tracepoint.
type Others struct{ collection *ebpf.Collection }

// Callback is a function that the kernel calls at a tracepoint.
type Callback struct {
	// Function is the start of the kernel function's name.
	Function string
	// Program is the id of the eBPF program that it runs, and Name its name. It is 0 if the
	// function runs none.
	Program ebpf.ProgramID
	Name    string
}

// SyscallWork is what each system call of this process has to do besides its own work: the
// bits of enum syscall_work_bit (5.11), which are the same in all kernels.
type SyscallWork uint64

// The bits of SyscallWork that cost time without being a setting of their own.
const (
	SyscallTracepoint SyscallWork = 1 << 1
	SyscallEmulation  SyscallWork = 1 << 3
	SyscallAudit      SyscallWork = 1 << 4
	SyscallDispatch   SyscallWork = 1 << 5
)

// LoadOthers loads the program; it is attached nowhere.
func LoadOthers(kernel *Kernel) (*Others, error) {
	spec, err := loadOthers()
	if err != nil {
		return nil, err
	}
	o := &Others{}
	if o.collection, err = ebpf.NewCollectionWithOptions(spec, kernel.Options()); err != nil {
		return nil, fmt.Errorf("load eBPF program: %w", err)
	}
	return o, nil
}

// At lists the functions at a tracepoint in the order in which they are called. link is the
// file descriptor of a link to it that this process holds.
func (o *Others) At(link int) ([]Callback, error) {
	program, variables := o.collection.Programs[othersProgStOthers], o.collection.Variables
	if _, err := program.Run(&ebpf.RunOptions{Context: [1]uint64{uint64(link)}}); err != nil {
		return nil, fmt.Errorf("list the functions at a tracepoint: %w", err)
	}
	var count uint32
	if err := variables[othersVarOthersCount].Get(&count); err != nil {
		return nil, fmt.Errorf("read the functions at a tracepoint: %w", err)
	}
	found := make([]othersCallback, variables[othersVarOthersFound].Size()/uint32(unsafe.Sizeof(othersCallback{})))
	if err := variables[othersVarOthersFound].Get(found); err != nil {
		return nil, fmt.Errorf("read the functions at a tracepoint: %w", err)
	}
	var list []Callback
	for _, c := range found[:min(int(count), len(found))] {
		list = append(list, Callback{
			Function: unix.ByteSliceToString(c.Function[:]),
			Program:  ebpf.ProgramID(c.Program),
			Name:     unix.ByteSliceToString(c.Name[:]),
		})
	}
	return list, nil
}

// SyscallWork returns what the last call of At saw. ok is false where the kernel does not
// keep it in one place.
func (o *Others) SyscallWork() (work SyscallWork, ok bool, err error) {
	var knows uint32
	if err := o.collection.Variables[othersVarOthersKnowsWork].Get(&knows); err != nil {
		return 0, false, fmt.Errorf("read what system calls do: %w", err)
	}
	if err := o.collection.Variables[othersVarOthersWork].Get(&work); err != nil {
		return 0, false, fmt.Errorf("read what system calls do: %w", err)
	}
	return work, knows != 0, nil
}

// Close unloads the program.
func (o *Others) Close() { o.collection.Close() }
