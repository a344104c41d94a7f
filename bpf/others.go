package bpf

import (
	"fmt"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// Others finds out who else stands on a tracepoint.
type Others struct{ collection *ebpf.Collection }

// Callback is a function that the kernel calls at a tracepoint.
type Callback struct {
	// Function is the start of the kernel function's name.
	Function string
	// Program is the id of the eBPF program that it runs, 0 for none, and Name its name.
	Program ebpf.ProgramID
	Name    string
}

// SyscallWork is what each system call of this process has to do beside its own: the
// bits of enum syscall_work_bit (5.11), which do not move.
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

// At lists the functions at the tracepoint to which a link of this process belongs,
// in the order in which they are called.
func (o *Others) At(link int) ([]Callback, error) {
	if _, err := o.collection.Programs[othersProgStOthers].Run(&ebpf.RunOptions{Context: [1]uint64{uint64(link)}}); err != nil {
		return nil, fmt.Errorf("list who stands on a tracepoint: %w", err)
	}
	var count uint32
	found := make([]othersCallback, o.collection.Variables[othersVarOthersFound].Size()/uint32(unsafe.Sizeof(othersCallback{})))
	if err := o.collection.Variables[othersVarOthersCount].Get(&count); err != nil {
		return nil, fmt.Errorf("read who stands on a tracepoint: %w", err)
	}
	if err := o.collection.Variables[othersVarOthersFound].Get(found); err != nil {
		return nil, fmt.Errorf("read who stands on a tracepoint: %w", err)
	}
	var list []Callback
	for _, c := range found[:min(int(count), len(found))] {
		list = append(list, Callback{Function: unix.ByteSliceToString(c.Function[:]), Program: ebpf.ProgramID(c.Program), Name: unix.ByteSliceToString(c.Name[:])})
	}
	return list, nil
}

// SyscallWork returns what the last At has seen; ok is false where the kernel does not
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
