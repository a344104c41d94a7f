package symbol

import (
	"bufio"
	"cmp"
	"debug/elf"
	"io"
	"math"
	"slices"
)

const (
	mostSymbols = 8 << 20 // looked at in one table
	mostWalked  = 32      // symbols that may begin inside a longer one before an address
)

// functions are a file's functions from one of its symbol tables, by address.
type functions struct {
	list  []function
	names []byte
}

type function struct {
	start, end uint64
	name       uint32
	rank       uint8 // which of several names at one address is shown: the highest
	sized      bool  // the file says where it ends
}

// readFunctions reads the functions of a symbol table.
func (o *object) readFunctions(kind elf.SectionType) (*functions, error) {
	at := slices.IndexFunc(o.sections, func(s section) bool { return s.kind == kind })
	if at < 0 {
		return nil, Stripped
	}
	table, size := o.sections[at], o.size(24, 16)
	if table.record != size || uint64(table.link) >= uint64(len(o.sections)) {
		return nil, Malformed
	}
	n := table.size / size
	if n > mostSymbols || table.offset > math.MaxInt64-table.size {
		return nil, TooLarge
	}
	f := &functions{}
	in := bufio.NewReaderSize(io.NewSectionReader(o.r, int64(table.offset), int64(n*size)), 1<<16)
	record := make([]byte, size)
	for range n {
		if _, err := io.ReadFull(in, record); err != nil {
			return nil, Malformed
		}
		// Without a size a function reaches to the next, which may be missing among dynamic symbols.
		if one, ok := o.function(record); ok && (one.sized || kind != elf.SHT_DYNSYM) {
			f.list = append(f.list, one)
		}
	}
	if len(f.list) == 0 {
		return nil, Stripped
	}
	const perFunction = 24
	if o.memory.left -= perFunction * int64(len(f.list)); o.memory.left < 0 {
		return nil, TooLarge
	}
	var err error
	if f.names, err = o.load(&o.sections[table.link]); err != nil {
		return nil, err
	}
	f.sort(o)
	return f, nil
}

// function returns the function that a symbol is. Symbols without a type are functions that
// were written in assembly, if they are in code.
func (o *object) function(record []byte) (function, bool) {
	var info byte
	var index uint16
	if o.wide {
		info, index = record[4], o.order.Uint16(record[6:])
	} else {
		info, index = record[12], o.order.Uint16(record[14:])
	}
	f := function{name: o.order.Uint32(record), start: o.word(record, 8, 4)}
	size := o.word(record, 16, 8)
	kind, bind := elf.ST_TYPE(info), elf.ST_BIND(info)
	if int(index) >= len(o.sections) || index == 0 || f.name == 0 || o.sections[index].flags&elf.SHF_EXECINSTR == 0 {
		return f, false
	}
	switch kind {
	case elf.STT_FUNC, elf.STT_GNU_IFUNC:
		f.rank = 4
	case elf.STT_NOTYPE:
	default:
		return f, false
	}
	if o.machine == elf.EM_ARM && kind == elf.STT_FUNC {
		f.start &^= 1 // the bit of Thumb code
	}
	f.end, f.sized = f.start+size, size > 0
	if f.end < f.start {
		f.end = math.MaxUint64
	}
	if f.sized {
		f.rank += 8
	}
	switch bind {
	case elf.STB_GLOBAL:
		f.rank += 2
	case elf.STB_WEAK:
		f.rank++
	}
	return f, true
}

// sort orders the functions, drops assembly's marks and gives those without a size their end:
// the next function, or the end of the code.
func (f *functions) sort(o *object) {
	f.list = slices.DeleteFunc(f.list, func(one function) bool {
		first := textStart(f.names, one.name)
		return first == "" || first[0] == '$' || first == ".L" // $x, $d mark code and data on Arm
	})
	slices.SortStableFunc(f.list, func(a, b function) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(b.rank, a.rank))
	})
	f.list = slices.Clip(slices.CompactFunc(f.list, func(a, b function) bool { return a.start == b.start }))
	for i := range f.list {
		one := &f.list[i]
		if one.sized {
			continue
		}
		one.end = o.codeEnd(one.start)
		if i+1 < len(f.list) {
			one.end = min(one.end, f.list[i+1].start)
		}
	}
}

// textStart returns up to two bytes of a zero-ended text.
func textStart(table []byte, at uint32) string {
	if uint64(at) >= uint64(len(table)) {
		return ""
	}
	return textAt(table[:min(uint64(len(table)), uint64(at)+2)], at)
}

// codeEnd returns the end of the section that holds an address.
func (o *object) codeEnd(address uint64) uint64 {
	for _, s := range o.sections {
		if s.flags&elf.SHF_EXECINSTR != 0 && address >= s.address && address-s.address < s.size {
			return s.address + s.size
		}
	}
	return address
}

// find returns the function at an address.
func (f *functions) find(address uint64) (function, bool) {
	at, exact := slices.BinarySearchFunc(f.list, address, func(one function, a uint64) int {
		return cmp.Compare(one.start, a)
	})
	if !exact {
		at--
	}
	// The nearest before may be a short one inside a longer one.
	for i := at; i >= 0 && i > at-mostWalked; i-- {
		if one := f.list[i]; address < one.end {
			return one, true
		}
	}
	return function{}, false
}
