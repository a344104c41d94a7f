package bpf

import (
	"errors"
	"fmt"
	"os"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
)

// ErrNoBTF says that the kernel does not describe its types.
var ErrNoBTF = errors.New("kernel has no BTF type information in /sys/kernel/btf/vmlinux: " +
	"use a kernel built with CONFIG_DEBUG_INFO_BTF=y")

// Kernel has the running kernel's description of its types. Reading that takes longer than
// loading programs, so one Kernel serves several loads.
type Kernel struct {
	types *btf.Spec
	cache *btf.Cache
}

// ReadKernel reads the kernel's types. The error may be ErrNoBTF.
func ReadKernel() (*Kernel, error) {
	k := &Kernel{cache: btf.NewCache()}
	var err error
	k.types, err = k.cache.Kernel()
	if errors.Is(err, ebpf.ErrNotSupported) || errors.Is(err, os.ErrNotExist) {
		return nil, ErrNoBTF
	}
	if err != nil {
		return nil, fmt.Errorf("read the kernel's type information: %w", err)
	}
	return k, nil
}

// Options returns options by which a load does not read the kernel's types again, nor those of modules.
func (k *Kernel) Options() ebpf.CollectionOptions {
	return ebpf.CollectionOptions{Programs: ebpf.ProgramOptions{KernelTypes: k.types}, Cache: k.cache}
}

// HasTracepoint reports whether there is a tracepoint of that name.
func (k *Kernel) HasTracepoint(name string) bool {
	var t *btf.Typedef
	return k.types.TypeByName("btf_trace_"+name, &t) == nil
}

// hasFunction reports whether the kernel describes a function of that name.
func (k *Kernel) hasFunction(name string) bool {
	var f *btf.Func
	return k.types.TypeByName(name, &f) == nil
}
