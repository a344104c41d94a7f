package bpf

import (
	"fmt"
	"runtime"

	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

// tellsPrevState reports whether sched_switch passes, after its first three arguments,
// prev's state as the scheduler found it: since 5.18. It returns an error if the first
// three are not those that the programs read.
func (k *Kernel) tellsPrevState() (bool, error) {
	var t *btf.Typedef
	if err := k.types.TypeByName("btf_trace_sched_switch", &t); err != nil {
		return false, fmt.Errorf("kernel has no tracepoint sched_switch with BTF type information")
	}
	pointer, _ := btf.UnderlyingType(t.Type).(*btf.Pointer)
	if pointer == nil {
		return false, fmt.Errorf("read the arguments of sched_switch: its type is %v:"+
			" report it with the kernel's version", t.Type)
	}
	proto, _ := pointer.Target.(*btf.FuncProto)
	// The first is the tracepoint's own.
	if proto == nil || len(proto.Params) < 4 || !isTask(proto.Params[2].Type) || !isTask(proto.Params[3].Type) {
		return false, fmt.Errorf("read the arguments of sched_switch: %v:"+
			" they are not preempt, prev and next: report it with the kernel's version", pointer.Target)
	}
	if len(proto.Params) < 5 {
		return false, nil
	}
	_, isInt := btf.UnderlyingType(proto.Params[4].Type).(*btf.Int)
	return isInt, nil
}

func isTask(t btf.Type) bool {
	pointer, ok := btf.UnderlyingType(t).(*btf.Pointer)
	if !ok {
		return false
	}
	task, ok := btf.UnderlyingType(pointer.Target).(*btf.Struct)
	return ok && task.Name == "task_struct"
}

// hasLazyResched reports whether the scheduler can ask a task to give up its core when it
// next leaves the kernel: since 6.13, and in earlier real-time kernels.
func (k *Kernel) hasLazyResched() bool { return k.hasFunction("resched_curr_lazy") }

// reschedFlags returns the bits of a task's flags by which mainline kernels ask it to give
// up its core, and by how many bits the lazy one is higher than the other: 0 if there is
// none, or its place is not known. The flag is learned from the kernel itself as soon as a
// timer wakes an idle core. On a machine that is never idle, this guess is used.
func reschedFlags(arch, release string, lazy bool) (guess uint64, shift uint32) {
	var major, minor int
	if n, _ := fmt.Sscanf(release, "%d.%d", &major, &minor); n != 2 {
		return 0, 0
	}
	since := func(wantMajor, wantMinor int) bool {
		return major > wantMajor || major == wantMajor && minor >= wantMinor
	}
	flag := uint64(0)
	switch {
	case arch == "arm64":
		flag = 1 << 1
	case arch == "amd64" && since(6, 18):
		flag = 1 << 4 // asm-generic/thread_info_tif.h
	case arch == "amd64":
		flag = 1 << 3
	}
	switch {
	case !lazy:
	case arch == "amd64" && !since(6, 7):
		shift = 19 - 3 // in the real-time patches of that time
	case arch != "arm64" || since(6, 16):
		shift = 1
	}
	if shift > 0 {
		flag |= flag << shift
	}
	return flag, shift
}

// adapt sets the variables by which the programs follow what differs between kernels.
func (k *Kernel) adapt(set func(variable string, value any) error) error {
	tells, err := k.tellsPrevState()
	if err != nil {
		return err
	}
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return fmt.Errorf("read the kernel's release: %w", err)
	}
	guess, shift := reschedFlags(runtime.GOARCH, unix.ByteSliceToString(name.Release[:]), k.hasLazyResched())
	for variable, value := range map[string]any{
		slicetraceVarTellsPrevState: tells,
		slicetraceVarLazyShift:      shift,
		slicetraceVarReschedGuess:   guess,
	} {
		if err := set(variable, value); err != nil {
			return fmt.Errorf("set %s: %w", variable, err)
		}
	}
	return nil
}
