package collector

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/collector/symbol"
	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/sched"
)

// Bounds of what is known at once: of the processes beyond mostProcesses the functions have no names, and
// beyond mostNamed stacks are forgotten, to be named again.
const (
	mostProcesses = 1_000
	mostNamed     = 50_000
)

// processKey is a process from one execution of a program to the next, as long as it keeps its name. program is
// where the stack of the program starts.
type processKey struct {
	pid            sched.PID
	start, program uint64
	name           [16]int8
}

// rawStack is a stack of addresses of 8 bytes, the innermost first. Those of one process mean nothing in
// another.
type rawStack struct {
	process      processKey
	kernel, user string
	waker        bool // it is that of a wakeup
	byPointers   bool // user was found by frame pointers only
	cut          bool // the callers of user are unknown
}

// namedStack is an index of stackNames.stacks. interrupt says that the stack is an interrupt's, without the
// functions that it came to.
type namedStack struct {
	index     int
	interrupt bool
}

// stackNames gives names to stacks. Stacks of the same names are one.
type stackNames struct {
	files     *symbol.Files
	kernel    *symbol.Kernel
	processes map[processKey]*symbol.Process
	named     map[rawStack]namedStack
	stackOf   map[string]int // by their frames' indices
	frameOf   map[report.Frame]int
	stacks    []report.Stack
	frames    []report.Frame
}

func newStackNames() *stackNames {
	return &stackNames{
		files: symbol.NewFiles(), kernel: symbol.ReadKernel(), processes: make(map[processKey]*symbol.Process),
		named: make(map[rawStack]namedStack), stackOf: make(map[string]int), frameOf: make(map[report.Frame]int),
	}
}

// see reads what a process has mapped, when it is first seen: it may have ended when its stacks are named.
func (n *stackNames) see(p processKey) {
	if _, ok := n.processes[p]; ok || len(n.processes) >= mostProcesses {
		return
	}
	n.processes[p] = n.files.ReadMaps(p.pid, p.program)
}

// forgetEnded closes the files of processes that have ended. A pid may be another process's by now: then its
// files stay open until that has ended too.
func (n *stackNames) forgetEnded() {
	for key, p := range n.processes {
		if errors.Is(unix.Kill(int(key.pid), 0), unix.ESRCH) {
			p.Close()
			delete(n.processes, key)
		}
	}
	if len(n.named) > mostNamed {
		clear(n.named)
	}
}

func (n *stackNames) close() {
	for _, p := range n.processes {
		p.Close()
	}
	n.files.Close()
}

// of names a stack.
func (n *stackNames) of(raw rawStack) namedStack {
	if known, ok := n.named[raw]; ok {
		return known
	}
	kernel := n.kernel.Frames(addresses(raw.kernel))
	var user []symbol.Frame
	cut := raw.cut
	if p := n.processes[raw.process]; p != nil {
		user = p.Frames(addresses(raw.user))
		if raw.byPointers {
			user, cut = followed(user)
		}
	} else {
		for _, address := range addresses(raw.user) {
			user = append(user, symbol.Frame{Address: address, Reason: symbol.Ended})
		}
	}
	var s namedStack
	if raw.waker {
		kernel = after(kernel, "try_to_wake_up")
		if i := slices.IndexFunc(kernel, isInterrupt); i >= 0 || raw.process.pid == 0 {
			s.interrupt, user, cut = true, nil, false
			if i >= 0 {
				kernel = kernel[:i+1]
			}
		}
	} else {
		kernel = after(kernel, "__schedule")
	}
	s.index = n.stack(kernel, user, cut)
	n.named[raw] = s
	return s
}

// follow returns the addresses of a program's functions, and whether their callers are unknown: from the copy of
// its stack, or else by frame pointers, as the kernel has found them.
func (n *stackNames) follow(of processKey, s *bpf.StackSample, byPointers, copied []byte) (user []byte, cut bool) {
	p := n.processes[of]
	if p == nil || len(copied) == 0 {
		return byPointers, false
	}
	found, complete := p.Unwind(symbol.Registers{PC: s.Pc, SP: s.Sp, FP: s.Fp, LR: s.Other, DI: s.Other}, copied)
	if len(found) == 0 {
		return byPointers, false
	}
	for _, address := range found {
		user = binary.NativeEndian.AppendUint64(user, address)
	}
	return user, !complete
}

// callersUnknown is said in place of the frames that cannot be found.
const callersUnknown = "the callers are unknown: the code tells no way to them, or they are further up than is copied"

// followed returns the frames up to the first that cannot be one, and whether there was such a frame. Where code
// uses the register of frame pointers for something else, the kernel takes any value for an address.
func followed(frames []symbol.Frame) (kept []symbol.Frame, cut bool) {
	for i, f := range frames {
		if i > 0 && f.Reason == symbol.NoMapping {
			return frames[:i], true
		}
	}
	return frames, false
}

// after leaves out the frames up to a function's, which are those of tracing. If it is not there, it leaves
// out none.
func after(frames []symbol.Frame, function string) []symbol.Frame {
	i := slices.IndexFunc(frames, func(f symbol.Frame) bool { return f.Function == function })
	return frames[i+1:]
}

// isInterrupt reports whether the kernel enters an interrupt by this function.
func isInterrupt(f symbol.Frame) bool {
	switch f.Function {
	case "el1h_64_irq", "el0t_64_irq", "el0t_32_irq", "asm_common_interrupt", "asm_exc_nmi", "ret_from_intr":
		return true
	}
	return strings.HasPrefix(f.Function, "asm_sysvec_")
}

// stack returns the index of a stack. cut says that its callers are unknown.
func (n *stackNames) stack(kernel, user []symbol.Frame, cut bool) int {
	var key []byte
	stack := make(report.Stack, 0, len(kernel)+len(user))
	add := func(f report.Frame) {
		i := n.frame(f)
		stack = append(stack, i)
		key = binary.AppendUvarint(key, uint64(i))
	}
	for _, f := range kernel {
		add(frameOf(f, true))
	}
	for _, f := range user {
		add(frameOf(f, false))
	}
	if cut {
		add(report.Frame{Unnamed: callersUnknown})
	}
	i, ok := n.stackOf[string(key)]
	if !ok {
		i = len(n.stacks)
		n.stacks = append(n.stacks, stack)
		n.stackOf[string(key)] = i
	}
	return i
}

func (n *stackNames) frame(f report.Frame) int {
	i, ok := n.frameOf[f]
	if !ok {
		i = len(n.frames)
		n.frames = append(n.frames, f)
		n.frameOf[f] = i
	}
	return i
}

func frameOf(f symbol.Frame, ofKernel bool) report.Frame {
	r := report.Frame{
		Function: f.Function, Unnamed: f.Reason.String(), Module: f.Module, Kernel: ofKernel,
		File: f.File, Line: f.Line, Inlined: f.Inlined,
	}
	if f.Function == "" {
		r.Address = f.Address
	}
	return r
}

func addresses(raw string) []uint64 {
	list := make([]uint64, 0, len(raw)/8)
	for ; len(raw) >= 8; raw = raw[8:] {
		list = append(list, binary.NativeEndian.Uint64([]byte(raw[:8])))
	}
	return list
}
