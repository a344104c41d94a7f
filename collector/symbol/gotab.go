package symbol

import (
	"debug/elf"
	"encoding/binary"
	"math"
	"sort"
	"strings"
)

// A goTable is the table of functions and lines that the Go runtime itself uses, which
// `-ldflags=-s -w` leaves in a program. Package debug/gosym reads it too, but allocates what the
// table's counts ask for, and does not know inlined calls. Programs of Go before 1.18 are named
// from their symbols.
type goTable struct {
	order binary.ByteOrder
	text  uint64 // the address that the table's offsets count from
	count uint64 // of functions
	step  uint64 // in which the tables of numbers count code: the shortest instruction

	names, units, files, numbers, functions []byte
	// calls is the data to which functions refer, among it the trees of inlined calls. It is nil
	// where the module's record was not found, or Go before 1.20 wrote the tree otherwise.
	calls []byte
}

const (
	goMagic118 = 0xfffffff0
	goMagic120 = 0xfffffff1
	goHeader   = 8

	pcdataInlined   = 2 // index of the table of positions in the tree of inlined calls
	funcdataInlined = 3 // index of that tree
	goRecord        = 44
	inlinedRecord   = 16
	mostInlined     = 128
	mostSteps       = 1 << 20
)

// readGoTable reads the table of a Go program, nil if the file is none.
func (o *object) readGoTable() (*goTable, error) {
	s := o.section(".gopclntab", ".data.rel.ro.gopclntab")
	if s == nil {
		return nil, nil
	}
	data, err := o.load(s)
	if err != nil {
		return nil, err
	}
	t, err := o.parseGoTable(data)
	if err != nil || t == nil {
		return nil, err
	}
	if code := o.section(".text"); code != nil && t.text == 0 {
		t.text = code.address
	}
	if m, ok := o.findModule(s.address); ok {
		t.text = m.text
		if o.order.Uint32(data) == goMagic120 {
			t.calls = o.dataFrom(m.calls)
		}
	}
	return t, nil
}

// parseGoTable cuts the table into its parts.
func (o *object) parseGoTable(data []byte) (*goTable, error) {
	word := o.size(8, 4)
	if uint64(len(data)) < goHeader+8*word {
		return nil, Malformed
	}
	if magic := o.order.Uint32(data); magic != goMagic118 && magic != goMagic120 {
		return nil, nil // an older Go
	}
	if uint64(data[7]) != word {
		return nil, Malformed
	}
	field := func(i uint64) uint64 { return o.word(data[goHeader+i*word:], 0, 0) }
	part := func(i uint64) []byte { return from(data, field(i)) }
	t := &goTable{
		order: o.order, count: field(0), text: field(2), step: uint64(data[6]),
		names: part(3), units: part(4), files: part(5), numbers: part(6), functions: part(7),
	}
	if t.count > uint64(len(t.functions))/8 {
		return nil, Malformed
	}
	return t, nil
}

// from returns what is in a table from an offset on.
func from(table []byte, offset uint64) []byte {
	if offset >= uint64(len(table)) {
		return nil
	}
	return table[offset:]
}

// number returns the 32-bit number at an offset, and whether there is one.
func (t *goTable) number(table []byte, offset uint64) (uint32, bool) {
	if table = from(table, offset); len(table) < 4 {
		return 0, false
	}
	return t.order.Uint32(table), true
}

// goFunction is the record of a function.
type goFunction struct {
	record []byte
	start  uint64
}

func (f goFunction) field(t *goTable, i uint64) uint64 {
	n, _ := t.number(f.record, 4*i)
	return uint64(n)
}

// find returns the function at an address.
func (t *goTable) find(address uint64) (goFunction, bool) {
	offset := address - t.text
	if address < t.text || offset > math.MaxUint32 {
		return goFunction{}, false
	}
	// Each entry is an offset of code and one of a record; after the last stands the code's end.
	start := func(i int) uint64 {
		n, ok := t.number(t.functions, 8*uint64(i))
		if !ok {
			return math.MaxUint64
		}
		return uint64(n)
	}
	i := sort.Search(int(t.count)+1, func(i int) bool { return start(i) > offset }) - 1
	if i < 0 || i >= int(t.count) {
		return goFunction{}, false
	}
	at, _ := t.number(t.functions, 8*uint64(i)+4)
	f := goFunction{record: from(t.functions, uint64(at)), start: t.text + start(i)}
	return f, len(f.record) >= goRecord
}

// value returns the value of a table of numbers by code address at an address of the function.
func (t *goTable) value(table uint64, f goFunction, address uint64) (int32, bool) {
	data := from(t.numbers, table)
	if table == 0 || data == nil {
		return 0, false
	}
	value, at := int32(-1), f.start
	for step := range mostSteps {
		delta, n := binary.Uvarint(data)
		if n <= 0 || delta == 0 && step > 0 {
			return 0, false
		}
		data = data[n:]
		length, n := binary.Uvarint(data)
		if n <= 0 {
			return 0, false
		}
		data = data[n:]
		value += int32(delta>>1) ^ -int32(delta&1)
		if at += length * t.step; address < at {
			return value, true
		}
	}
	return 0, false
}

// frames adds the frames of an address: the inlined calls that it is in, then the function.
func (t *goTable) frames(to []Frame, like Frame, address uint64) []Frame {
	f, ok := t.find(address)
	if !ok {
		return to
	}
	at := address
	for range mostInlined {
		call, ok := t.inlined(f, at)
		if !ok {
			break
		}
		frame := like
		frame.Inlined = true
		frame.Function = t.name(call.name)
		frame.File, frame.Line = t.position(f, at)
		to = append(to, frame)
		at = f.start + uint64(call.parent)
	}
	like.Function = t.name(uint32(f.field(t, 1)))
	like.File, like.Line = t.position(f, at)
	if like.Function == "" {
		like.Reason = Malformed
	}
	return append(to, like)
}

// name returns a function's name as the runtime prints it, without the types of type parameters.
func (t *goTable) name(at uint32) string {
	name := textAt(t.names, at)
	i, j := strings.IndexByte(name, '['), strings.LastIndexByte(name, ']')
	if i >= 0 && j > i {
		name = name[:i] + "[...]" + name[j+1:]
	}
	return shorten(name)
}

// position returns the file and line of an address.
func (t *goTable) position(f goFunction, address uint64) (file string, line int) {
	if n, ok := t.value(f.field(t, 5), f, address); ok && n >= 0 {
		if at, ok := t.number(t.units, 4*(f.field(t, 8)+uint64(n))); ok {
			file = shorten(textAt(t.files, at))
		}
	}
	if n, ok := t.value(f.field(t, 6), f, address); ok && n > 0 {
		line = int(n)
	}
	return file, line
}

// inlinedCall is the record of a call whose code is in the caller.
type inlinedCall struct {
	name   uint32
	parent uint32 // an instruction of the call site, from the function's start
}

// inlined returns the innermost inlined call that holds an address.
func (t *goTable) inlined(f goFunction, address uint64) (inlinedCall, bool) {
	tables, trees := f.field(t, 7), uint64(f.record[goRecord-1])
	if t.calls == nil || tables <= pcdataInlined || trees <= funcdataInlined {
		return inlinedCall{}, false
	}
	table, _ := t.number(f.record, goRecord+4*pcdataInlined)
	tree, ok := t.number(f.record, goRecord+4*(tables+funcdataInlined))
	if !ok || tree == math.MaxUint32 {
		return inlinedCall{}, false
	}
	i, ok := t.value(uint64(table), f, address)
	if !ok || i < 0 {
		return inlinedCall{}, false
	}
	record := from(t.calls, uint64(tree)+inlinedRecord*uint64(i))
	if len(record) < inlinedRecord {
		return inlinedCall{}, false
	}
	return inlinedCall{name: t.order.Uint32(record[4:]), parent: t.order.Uint32(record[8:])}, true
}

// dataFrom returns the rest of the section from an address on, nil if no section holds it.
func (o *object) dataFrom(address uint64) []byte {
	for _, s := range o.sections {
		inside := address - s.address
		if s.flags&elf.SHF_ALLOC == 0 || address < s.address || inside >= s.size || s.kind == elf.SHT_NOBITS {
			continue
		}
		data, err := o.memory.read(o.r, s.offset+inside, s.size-inside)
		if err != nil {
			return nil
		}
		return data
	}
	return nil
}
