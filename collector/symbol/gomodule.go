package symbol

import (
	"debug/elf"
	"math"
)

// goModule is what is needed of the runtime's record of a program, moduledata.
type goModule struct{ text, calls uint64 }

// Places in the record, in words, since Go 1.20: the table's header first, then the code's bounds,
// read-only data and what functions refer to.
const (
	moduleText   = 22
	moduleEnd    = 23
	moduleRodata = 39
	moduleCalls  = 40
	moduleWords  = 41
	mostData     = 64 << 20
)

// findModule finds the record by its first word, the address of the table of functions.
// It has a section of its own since Go 1.26, and is among data before.
func (o *object) findModule(table uint64) (goModule, bool) {
	for _, name := range []string{".go.module", ".noptrdata", ".data.rel.ro", ".data"} {
		s := o.section(name)
		if s == nil || s.kind == elf.SHT_NOBITS {
			continue
		}
		data, err := o.scratch(s.offset, s.size, mostData)
		if err != nil {
			continue
		}
		word := int(o.size(8, 4))
		for ; len(data) >= moduleWords*word; data = data[word:] {
			if o.word(data, 0, 0) != table {
				continue
			}
			m, ok := o.module(func(i int) uint64 { return o.word(data[i*word:], 0, 0) })
			if ok {
				return m, true
			}
		}
	}
	return o.findRelocatedModule(table)
}

// module checks that words are those of a record.
func (o *object) module(word func(i int) uint64) (goModule, bool) {
	m := goModule{text: word(moduleText), calls: word(moduleCalls)}
	code := o.section(".text")
	ok := code != nil && m.text >= code.address && m.text-code.address < code.size &&
		word(moduleEnd) > m.text && m.calls >= word(moduleRodata) && word(moduleRodata) > 0
	return m, ok
}

// findRelocatedModule finds the record in a position-independent program of an external linker,
// which leaves the words zero in the file and lists what the loader writes there.
func (o *object) findRelocatedModule(table uint64) (goModule, bool) {
	s := o.section(".rela.dyn")
	if s == nil || !o.wide {
		return goModule{}, false
	}
	data, err := o.scratch(s.offset, s.size, mostData)
	if err != nil {
		return goModule{}, false
	}
	relative := map[elf.Machine]uint64{
		elf.EM_X86_64: uint64(elf.R_X86_64_RELATIVE), elf.EM_AARCH64: uint64(elf.R_AARCH64_RELATIVE),
	}[o.machine]
	each := func(f func(address, value uint64)) {
		for rest := data; len(rest) >= 24; rest = rest[24:] {
			if o.order.Uint64(rest[8:]) == relative {
				f(o.order.Uint64(rest), o.order.Uint64(rest[16:]))
			}
		}
	}
	record := uint64(math.MaxUint64)
	each(func(address, value uint64) {
		if value == table && record == math.MaxUint64 {
			record = address
		}
	})
	words := map[int]uint64{}
	each(func(address, value uint64) {
		if address >= record && address-record < 8*moduleWords {
			words[int(address-record)/8] = value
		}
	})
	return o.module(func(i int) uint64 { return words[i] })
}
