package symbol

import (
	"debug/elf"
	"encoding/binary"
	"math"
	"os"
	"slices"
	"testing"
	"time"
)

// madeStack is where the copies of made stacks begin.
const madeStack = 0x7fff00000000

// madeProcess returns a process that has one file mapped, and generated code above it.
func madeProcess(t testing.TB, machine elf.Machine, frames *callFrames) *Process {
	t.Helper()
	old := thisMachine
	thisMachine = machine
	t.Cleanup(func() { thisMachine = old })
	i := &image{segments: []segment{{size: 0x10000, executable: true}}, callFrames: frames}
	return &Process{files: NewFiles(), read: time.Now(), maps: []mapping{
		{start: 0, end: 0x10000, path: "/file", file: &file{image: i}},
		{start: 0x20000, end: 0x30000},
		{start: 0x7ff000000000, end: 0x7ff000001000, path: "[vdso]", file: &file{image: &image{}}},
	}}
}

// words returns memory that holds these words.
func words(list ...uint64) []byte {
	var b []byte
	for _, n := range list {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	return b
}

// signalled is the stack of an arm64 signal handler that was called where these registers were.
func signalled(fp, lr, sp, pc uint64) []byte {
	frame := make([]uint64, 39+29)
	return words(append(frame, fp, lr, sp, pc)...)
}

// unwound is a made stack, and what is found on it.
type unwound struct {
	machine      elf.Machine
	instructions []byte // of the function at madeCode
	registers    Registers
	stack        []byte
	want         want
}

type want struct {
	addresses []uint64
	complete  bool
}

func checkUnwound(t *testing.T, cases map[string]unwound) {
	t.Helper()
	for name, c := range cases {
		data := madeFrames(c.machine, "zR", c.instructions...)
		p := madeProcess(t, c.machine, made(t, c.machine, data))
		c.registers.SP = madeStack
		addresses, complete := p.Unwind(c.registers, c.stack)
		if !slices.Equal(addresses, c.want.addresses) || complete != c.want.complete {
			t.Errorf("%s: got %#x, %v; want %#x, %v", name, addresses, complete, c.want.addresses, c.want.complete)
		}
	}
}

func TestUnwindMade(t *testing.T) {
	const in, generated = madeCode + 4, 0x20100
	const intel = elf.EM_X86_64
	checkUnwound(t, map[string]unwound{
		"empty":              {intel, nil, Registers{PC: in}, nil, want{[]uint64{in}, false}},
		"nowhere":            {intel, nil, Registers{PC: 0x10000}, nil, want{nil, false}},
		"outermost":          {intel, []byte{0x07, 16}, Registers{PC: in}, nil, want{[]uint64{in}, true}},
		"ends with zero":     {intel, nil, Registers{PC: in}, words(in, 0), want{[]uint64{in, in}, true}},
		"ends with the copy": {intel, nil, Registers{PC: in}, words(in, in)[:15], want{[]uint64{in, in}, false}},
		"no return address":  {intel, nil, Registers{PC: in}, words(in, 0x18000), want{[]uint64{in, in}, false}},
		"loop":               {intel, []byte{0x0e, 0}, Registers{PC: in}, words(in), want{[]uint64{in}, false}},
		"goes down":          {intel, []byte{0x12, 7, 1}, Registers{PC: in}, words(in), want{[]uint64{in}, false}},
		"unknown register":   {intel, []byte{0x0c, 3, 8}, Registers{PC: in}, words(in), want{[]uint64{in}, false}},
		"huge offset": {
			intel, []byte{0x0e, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}, Registers{PC: in}, words(in),
			want{[]uint64{in}, false},
		},
		"many": {intel, nil, Registers{PC: in}, words(slices.Repeat([]uint64{in}, 200)...), want{
			slices.Repeat([]uint64{in}, mostAddresses), false,
		}},
		"expression": { // SP + 8, plus 8 where the address is past the half
			intel, []byte{0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x33, 0x2a, 0x33, 0x24, 0x22}, Registers{PC: in},
			words(1, in), want{[]uint64{in, in}, false},
		},
		"expression in memory": {
			intel, []byte{0x0f, 3, 0x76, 0x78, 0x06}, Registers{PC: in, FP: madeStack + 24},
			words(1, in, madeStack+16), want{[]uint64{in, in}, false},
		},
		"frame pointers": {
			intel, nil, Registers{PC: generated, FP: madeStack + 8},
			words(1, madeStack+32, generated+8, 1, 0, in), want{[]uint64{generated, generated + 8, in}, false},
		},
		"frame pointer below": {
			intel, nil, Registers{PC: generated, FP: madeStack - 8}, words(0, in), want{[]uint64{generated}, false},
		},
		"frame pointer back": {
			intel, nil, Registers{PC: generated, FP: madeStack}, words(madeStack, in), want{[]uint64{generated}, false},
		},
		"frame pointer not whole": {
			intel, nil, Registers{PC: generated, FP: madeStack + 1}, words(0, 0, 0), want{[]uint64{generated}, false},
		},
		"frame pointer at end": {
			intel, nil, Registers{PC: generated, FP: math.MaxUint64 - 7}, words(0, 0), want{[]uint64{generated}, false},
		},
		"called at the end": {
			intel, nil, Registers{PC: in}, words(madeCode+madeSize, 0), want{[]uint64{in, madeCode + madeSize}, true},
		},
		"other machine": {elf.EM_NONE, nil, Registers{PC: in}, words(in), want{nil, false}},
	})
}

func TestUnwindMadeArm64(t *testing.T) {
	const in, generated, vdso = madeCode + 4, 0x20100, 0x7ff000000400
	const signature = 0x7a << 56
	const arm = elf.EM_AARCH64
	checkUnwound(t, map[string]unwound{
		"arm64, leaf": {
			arm, []byte{0x07, 0}, Registers{PC: in, LR: generated | signature, FP: madeStack}, words(0, in),
			want{[]uint64{in, generated, in}, false},
		},
		"arm64, signed": {
			arm, []byte{0x2d, 0x0e, 16, 0x9d, 2, 0x9e, 1}, Registers{PC: in}, words(0, in|signature, 0, 0),
			want{[]uint64{in, in}, true},
		},
		"arm64, signal": {
			arm, nil, Registers{PC: in, LR: vdso}, signalled(0, generated, 0, in),
			want{[]uint64{in, vdso, in, generated}, false},
		},
		"arm64, signal, cut": {
			arm, nil, Registers{PC: in, LR: vdso}, signalled(0, 0, 0, in)[:500], want{[]uint64{in, vdso}, false},
		},
	})
}

// A signal can interrupt a function at its start, to which no call returns.
func TestUnwindInterrupted(t *testing.T) {
	for augmentation, complete := range map[string]bool{"zRS": true, "zR": false} {
		p := madeProcess(t, elf.EM_X86_64, made(t, elf.EM_X86_64, madeFrames(elf.EM_X86_64, augmentation)))
		addresses, got := p.Unwind(Registers{PC: madeCode + 4, SP: madeStack}, words(madeCode, 0))
		if len(addresses) != 2 || got != complete {
			t.Errorf("%s: got %#x, %v", augmentation, addresses, got)
		}
	}
}

// A process of 32 bits has no stack that is read in words of 64.
func TestUnwindNarrow(t *testing.T) {
	p := madeProcess(t, elf.EM_X86_64, made(t, elf.EM_X86_64, madeFrames(elf.EM_X86_64, "zR")))
	p.maps = p.maps[:2]
	addresses, complete := p.Unwind(Registers{PC: madeCode, SP: madeStack}, words(0))
	if addresses != nil || complete {
		t.Errorf("got %#x, %v", addresses, complete)
	}
}

func FuzzUnwind(f *testing.F) {
	stack := words(madeCode+4, madeCode+8, madeStack+32, 0x20100, 0, madeCode)
	for _, instructions := range [][]byte{
		nil, {0x41, 0x0e, 16, 0x86, 2}, {0x0f, 3, 0x77, 8, 0x06}, {0x0a, 0x0d, 6, 0x0b}, {0x10, 6, 2, 0x77, 0},
	} {
		intel := madeFrames(elf.EM_X86_64, "zR", instructions...)
		arm := madeFrames(elf.EM_AARCH64, "zRS", instructions...)
		f.Add(intel, []byte{}, stack, false, uint64(madeCode+4), uint64(madeStack))
		f.Add(arm, words(0, 1<<63), stack, true, uint64(madeCode), uint64(0))
	}
	f.Fuzz(func(t *testing.T, data, table, stack []byte, arm bool, pc, fp uint64) {
		machine := elf.EM_X86_64
		if arm {
			machine = elf.EM_AARCH64
		}
		frames := &callFrames{machine: machine, data: data, base: madeBase}
		if frames.table = table[:len(table)/8*8]; len(table) < 8 {
			frames.table = nil
			if frames.scan(&budget{left: 1 << 20}) != nil {
				return
			}
		}
		if err := frames.makeRows(&budget{left: 1 << 20}); err != nil {
			t.Fatal(err)
		}
		p := madeProcess(t, machine, frames)
		r := Registers{PC: pc, SP: madeStack, FP: fp, LR: pc}
		addresses, complete := p.Unwind(r, stack)
		again, same := p.Unwind(r, stack)
		if len(addresses) > mostAddresses || !slices.Equal(addresses, again) || complete != same {
			t.Errorf("got %#x, then %#x", addresses, again)
		}
		for _, address := range addresses {
			if p.known(address) == nil {
				t.Errorf("%#x is no code", address)
			}
		}
	})
}

// A file can state a table of any size, and have descriptions that refer to anything.
func TestHostileCallFrames(t *testing.T) {
	huge := binary.LittleEndian.AppendUint64([]byte{0xff, 0xff, 0xff, 0xff}, math.MaxUint64-8)
	for name, data := range map[string][]byte{
		"huge record":      huge,
		"cut record":       {16, 0, 0, 0, 1, 2},
		"refers before":    {8, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 2, 3, 4},
		"refers to itself": {8, 0, 0, 0, 4, 0, 0, 0, 1, 2, 3, 4},
		"long name":        append([]byte{100, 0, 0, 0, 0, 0, 0, 0, 1}, slices.Repeat([]byte{'z'}, 95)...),
	} {
		if f := made(t, elf.EM_X86_64, data); len(f.entries) != 0 {
			t.Errorf("%s: %+v", name, f.entries)
		}
	}
	program := elfHeader(64, 0, 2, 0, 0)
	program[18] = byte(elf.EM_X86_64)
	for _, kind := range []uint32{uint32(elf.PT_LOAD), uint32(elf.PT_GNU_EH_FRAME)} {
		s := make([]byte, 56)
		binary.LittleEndian.PutUint32(s, kind)
		binary.LittleEndian.PutUint64(s[32:], 1<<40)
		program = append(program, s...)
	}
	i := &image{}
	used := allocated(func() { i = readImage(sparse(program), &budget{left: 1 << 20}) })
	if i.callFrames != nil || used > 1<<20 {
		t.Errorf("%+v; %d bytes allocated", i.callFrames, used)
	}
}

// sparse is a file that goes on with zeros without end.
type sparse []byte

func (s sparse) ReadAt(to []byte, offset int64) (int, error) {
	clear(to)
	if offset >= 0 && offset < int64(len(s)) {
		copy(to, s[offset:])
	}
	return len(to), nil
}

// Names go before call frame information where there is not memory enough for both.
func TestCallFramesAreShort(t *testing.T) {
	f, err := os.Open(compile(t, "-static"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const all = 1 << 30
	memory := &budget{left: all}
	whole := readImage(f, memory)
	if whole.callFrames == nil || whole.short {
		t.Fatalf("%+v", whole.callFrames)
	}
	less := &budget{left: all - memory.left - 1}
	i := readImage(f, less)
	kept := less.left >= int64(len(whole.callFrames.data))
	if i.callFrames != nil || !i.short || len(i.tables) != len(whole.tables) || !kept {
		t.Errorf("short: %v, %d tables, %d bytes left", i.short, len(i.tables), less.left)
	}
}
