package symbol

import (
	"debug/elf"
	"encoding/binary"
	"runtime"
)

// mostAddresses bounds a stack, as the kernel does by default.
const mostAddresses = 127

// Registers are a task's user registers when it entered the kernel.
type Registers struct {
	PC, SP uint64
	FP     uint64 // the frame pointer: rbp on x86-64, x29 on arm64
	LR     uint64 // x30; arm64 only
	DI     uint64 // rdi; x86-64 only, where vfork keeps its return address
}

// thisMachine is what the processes of this machine run on. Tests set it.
var thisMachine = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[runtime.GOARCH]

// task is a task at one of the functions on its stack.
type task struct {
	pc, sp, fp, lr, di                 uint64
	knowsSP, knowsFP, knowsLR, knowsDI bool
	interrupted                        bool // pc is where it stood, not where a call returns to
	machine                            elf.Machine
	stack                              []byte
	base                               uint64 // of stack
}

// Unwind returns the addresses of a stack, the innermost first, from a task's registers and a copy of its
// memory from SP on. It follows the call frame information of files, and frame pointers in code that has
// none. complete says whether the outermost function was reached: else the copy ended, or the way to the
// caller is not known.
func (p *Process) Unwind(r Registers, stack []byte) (addresses []uint64, complete bool) {
	p.files.mu.Lock()
	defer p.files.mu.Unlock()
	t := &task{
		pc: r.PC, sp: r.SP, fp: r.FP, lr: r.LR, di: r.DI,
		knowsSP: true, knowsFP: true, knowsLR: true, knowsDI: true, interrupted: true,
		machine: thisMachine, stack: stack, base: r.SP,
	}
	if t.machine == elf.EM_NONE || !p.isWide() {
		return nil, false
	}
	addresses = make([]uint64, 0, 32)
	for len(addresses) < mostAddresses {
		m := p.mapping(t.pc)
		if m == nil { // no code is there: what was followed was no return address
			return addresses, false
		}
		addresses = append(addresses, t.pc)
		before := *t
		switch p.toCaller(t, m) {
		case outermost:
			return addresses, true
		case lost:
			return addresses, false
		}
		if t.pc == 0 {
			return addresses, true
		}
		// A frame that does not lie above the one before would be a loop. A signal's handler may have a stack
		// of its own, which lies anywhere.
		if t.knowsSP && before.knowsSP && !t.interrupted && !t.isAbove(&before) {
			return addresses, false
		}
	}
	return addresses, false
}

// isWide reports whether the process is of 64 bits: only those have mappings above 4 GiB.
func (p *Process) isWide() bool { return len(p.maps) > 0 && p.maps[len(p.maps)-1].end > 1<<32 }

// isAbove reports whether a task that went to its caller is above where it was. A function that calls no other
// need have no frame: on arm64, and where it has taken its return address from the stack, as vfork does.
func (t *task) isAbove(before *task) bool {
	return t.sp > before.sp || t.sp == before.sp && before.interrupted
}

// step is what became of a task on the way to a caller.
type step uint8

const (
	lost step = iota
	outermost
	moved
)

// toCaller moves a task to the caller of its function, which is in a mapping.
func (p *Process) toCaller(t *task, m *mapping) step {
	if m.file == nil {
		return t.byFramePointer(false)
	}
	i := p.files.read(m.file)
	if i.callFrames != nil {
		at := t.pc
		if !t.interrupted { // the call can be a function's last instruction
			at--
		}
		linked, ok := i.address(max(at, m.start) - m.start + m.offset)
		if row := i.callFrames.at(linked); ok && row.found {
			return t.byRow(i.callFrames, &row)
		}
	}
	if m.path == "[vdso]" && t.machine == elf.EM_AARCH64 && !t.interrupted {
		return t.bySignalFrame()
	}
	return t.byFramePointer(i.golang != nil)
}

// byRow moves a task to its caller as a row says.
func (t *task) byRow(f *callFrames, r *row) step {
	if f.machine != t.machine {
		return lost
	}
	if r.pc.kind == undefined {
		return outermost
	}
	var frame uint64
	ok := false
	switch r.frame.kind {
	case plus:
		frame, ok = t.register(r.frame.register)
		frame += uint64(r.frame.value)
	case computed:
		frame, ok = t.evaluate(f, r.frame)
	}
	if !ok {
		return lost
	}
	caller := *t
	returnRule := r.pc
	if returnRule.kind == unchanged { // a function that calls no other
		if t.machine != elf.EM_AARCH64 {
			return lost
		}
		returnRule = rule{kind: plus, register: arm64LR}
	}
	if caller.pc, ok = t.follow(f, returnRule, frame, 0, false); !ok {
		return lost
	}
	caller.fp, caller.knowsFP = t.follow(f, r.fp, frame, t.fp, t.knowsFP)
	caller.lr, caller.knowsLR, caller.knowsDI = 0, false, false
	caller.sp, caller.knowsSP = frame, true
	if r.sp.kind != unchanged {
		caller.sp, caller.knowsSP = t.follow(f, r.sp, frame, 0, false)
	}
	caller.interrupted = r.signal
	caller.strip()
	*t = caller
	return moved
}

// follow returns a register of the caller. If it is unchanged, it is what it was.
func (t *task) follow(f *callFrames, r rule, frame, was uint64, known bool) (uint64, bool) {
	switch r.kind {
	case unchanged:
		return was, known
	case saved:
		return t.word(frame + uint64(r.value))
	case plus:
		n, ok := t.register(r.register)
		return n + uint64(r.value), ok
	case computed:
		return t.evaluate(f, r, frame)
	case inMemory:
		at, ok := t.evaluate(f, r, frame)
		if !ok {
			return 0, false
		}
		return t.word(at)
	}
	return 0, false
}

// byFramePointer moves a task to its caller by the pair that the frame pointer points to: the caller's frame
// pointer and the return address. Go's runtime ends the chain with zero.
func (t *task) byFramePointer(isGo bool) step {
	if isGo && t.knowsFP && t.fp == 0 {
		return outermost
	}
	const pair = 16
	if !t.knowsFP || t.knowsSP && t.fp < t.sp || t.fp%8 != 0 {
		return lost
	}
	fp, ok := t.word(t.fp)
	pc, ok2 := t.word(t.fp + 8)
	if !ok || !ok2 || fp != 0 && fp < t.fp+pair {
		return lost
	}
	t.pc, t.sp, t.fp = pc, t.fp+pair, fp
	// On arm64 the pair need not lie at the top of a frame.
	t.knowsSP = t.machine == elf.EM_X86_64
	t.knowsLR, t.knowsDI, t.interrupted = false, false, false
	t.strip()
	return moved
}

// bySignalFrame moves a task of arm64 from where its signal handler returns to to where it was interrupted. The
// kernel's code there has no call frame information; SP points to the registers' place in struct rt_sigframe.
func (t *task) bySignalFrame() step {
	const x0 = 312 // siginfo, and of ucontext what comes before; then x0 to x30, SP and PC
	if !t.knowsSP {
		return lost
	}
	caller, ok := *t, [4]bool{}
	caller.fp, ok[0] = t.word(t.sp + x0 + 8*arm64FP)
	caller.lr, ok[1] = t.word(t.sp + x0 + 8*arm64LR)
	caller.sp, ok[2] = t.word(t.sp + x0 + 8*arm64SP)
	caller.pc, ok[3] = t.word(t.sp + x0 + 8*(arm64SP+1))
	if ok != [4]bool{true, true, true, true} {
		return lost
	}
	caller.knowsFP, caller.knowsLR, caller.interrupted = true, true, true
	*t = caller
	return moved
}

// strip removes the signature that arm64 can put into the unused bits of a return address.
func (t *task) strip() {
	if t.machine == elf.EM_AARCH64 {
		t.pc &= 1<<48 - 1
	}
}

// register returns a register by its number in call frame information.
func (t *task) register(number uint8) (uint64, bool) {
	sp, fp := uint8(amd64SP), uint8(amd64FP)
	if t.machine == elf.EM_AARCH64 {
		sp, fp = arm64SP, arm64FP
	}
	switch {
	case number == sp:
		return t.sp, t.knowsSP
	case number == fp:
		return t.fp, t.knowsFP
	case number == amd64PC && t.machine == elf.EM_X86_64:
		return t.pc, true
	case number == amd64DI && t.machine == elf.EM_X86_64:
		return t.di, t.knowsDI
	case number == arm64LR && t.machine == elf.EM_AARCH64:
		return t.lr, t.knowsLR
	}
	return 0, false
}

// word returns a word of the stack's copy.
func (t *task) word(address uint64) (uint64, bool) {
	const size = 8
	at := address - t.base
	if address < t.base || uint64(len(t.stack)) < size || at > uint64(len(t.stack))-size {
		return 0, false
	}
	return binary.LittleEndian.Uint64(t.stack[at:]), true
}
