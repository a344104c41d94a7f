package symbol

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"io"
	"math"
)

// Bounds of what is read of one file. The largest programs stay below a quarter of them.
const (
	mostSegments = 4096
	mostSections = 0xff00 // above it ELF counts sections elsewhere, as only object files need
	mostNames    = 1 << 20
	mostNotes    = 64 << 10
)

// An object is an open ELF file's headers. Package debug/elf is not used to read them: it
// allocates what a file's counts ask for, and copies the names of sections, so that a file of a
// few megabytes can ask for terabytes.
type object struct {
	r          io.ReaderAt
	memory     *budget
	order      binary.ByteOrder
	wide       bool // 64 bit
	machine    elf.Machine
	segments   []segment // PT_LOAD
	notes      []segment // PT_NOTE
	callFrames segment   // PT_GNU_EH_FRAME: the table of functions with call frame information
	sections   []section
	names      []byte // of sections
}

// segment is a part of the file that is mapped as one.
type segment struct {
	offset, size, address uint64
	executable            bool
}

type section struct {
	name                          uint32
	kind                          elf.SectionType
	flags                         elf.SectionFlag
	address, offset, size, record uint64
	link                          uint32
}

// budget is the memory that may still be used for tables.
type budget struct{ left int64 }

// read returns n bytes from an offset on, and takes them from the budget.
func (b *budget) read(r io.ReaderAt, offset, n uint64) ([]byte, error) {
	if n > math.MaxInt64 || int64(n) > b.left {
		return nil, TooLarge
	}
	if offset > math.MaxInt64-n {
		return nil, Malformed
	}
	data := make([]byte, n)
	if got, err := r.ReadAt(data, int64(offset)); got < len(data) {
		if errors.Is(err, io.EOF) {
			return nil, Malformed
		}
		return nil, Unreadable
	}
	b.left -= int64(n)
	return data, nil
}

// openObject reads the headers of an ELF file.
func openObject(r io.ReaderAt, memory *budget) (*object, error) {
	var header [64]byte
	n, err := r.ReadAt(header[:], 0)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return nil, Unreadable
	case n < 52 || !bytes.HasPrefix(header[:], []byte(elf.ELFMAG)):
		return nil, NotELF
	}
	o := &object{r: r, memory: memory, order: binary.LittleEndian}
	switch elf.Class(header[elf.EI_CLASS]) {
	case elf.ELFCLASS64:
		o.wide = true
	case elf.ELFCLASS32:
	default:
		return nil, Malformed
	}
	if elf.Data(header[elf.EI_DATA]) == elf.ELFDATA2MSB {
		o.order = binary.BigEndian
	}
	o.machine = elf.Machine(o.order.Uint16(header[18:]))
	counts := header[42:]
	if o.wide {
		counts = header[54:]
	}
	count := func(i int) uint64 { return uint64(o.order.Uint16(counts[2*i:])) }
	if err := o.readSegments(o.word(header[:], 32, 28), count(0), count(1)); err != nil {
		return nil, err
	}
	// A program runs without sections, so that it is no fault if they cannot be read.
	if o.readSections(o.word(header[:], 40, 32), count(2), count(3), count(4)) != nil {
		o.sections, o.names = nil, nil
	}
	return o, nil
}

// word returns the number at an offset of a record, which differs between 64-bit and 32-bit files.
func (o *object) word(record []byte, wide, narrow int) uint64 {
	if o.wide {
		return o.order.Uint64(record[wide:])
	}
	return uint64(o.order.Uint32(record[narrow:]))
}

// half returns the 32-bit number at such an offset.
func (o *object) half(record []byte, wide, narrow int) uint32 {
	if o.wide {
		return o.order.Uint32(record[wide:])
	}
	return o.order.Uint32(record[narrow:])
}

// size returns the size of a record.
func (o *object) size(wide, narrow uint64) uint64 {
	if o.wide {
		return wide
	}
	return narrow
}

// scratch reads what is needed for a moment only.
func (o *object) scratch(offset, n, most uint64) ([]byte, error) {
	if n > most {
		return nil, TooLarge
	}
	return (&budget{left: int64(most)}).read(o.r, offset, n)
}

func (o *object) readSegments(offset, record, n uint64) error {
	if n > mostSegments {
		return TooLarge
	}
	if n == 0 {
		return nil
	}
	if record < o.size(56, 32) {
		return Malformed
	}
	table, err := o.scratch(offset, record*n, mostSegments*1024)
	if err != nil {
		return err
	}
	for ; len(table) > 0; table = table[record:] {
		s := segment{
			offset: o.word(table, 8, 4), size: o.word(table, 32, 16), address: o.word(table, 16, 8),
			executable: elf.ProgFlag(o.half(table, 4, 24))&elf.PF_X != 0,
		}
		switch elf.ProgType(o.order.Uint32(table)) {
		case elf.PT_LOAD:
			o.segments = append(o.segments, s)
		case elf.PT_NOTE:
			o.notes = append(o.notes, s)
		case elf.PT_GNU_EH_FRAME:
			o.callFrames = s
		}
	}
	return nil
}

func (o *object) readSections(offset, record, n, names uint64) error {
	if n == 0 || n >= mostSections || record < o.size(64, 40) || names >= n {
		return Malformed
	}
	table, err := o.scratch(offset, record*n, mostSections*64)
	if err != nil {
		return err
	}
	for ; len(table) > 0; table = table[record:] {
		o.sections = append(o.sections, section{
			name: o.order.Uint32(table), kind: elf.SectionType(o.order.Uint32(table[4:])),
			flags:   elf.SectionFlag(o.word(table, 8, 8)),
			address: o.word(table, 16, 12), offset: o.word(table, 24, 16), size: o.word(table, 32, 20),
			link: o.half(table, 40, 24), record: o.word(table, 56, 36),
		})
	}
	strings := o.sections[names]
	o.names, err = o.scratch(strings.offset, strings.size, mostNames)
	return err
}

// section returns the first section with one of these names, nil if there is none.
func (o *object) section(names ...string) *section {
	for i := range o.sections {
		for _, name := range names {
			if s := &o.sections[i]; textIs(o.names, s.name, name) {
				return s
			}
		}
	}
	return nil
}

// textIs reports whether the zero-ended text at an offset is this one.
func textIs(table []byte, at uint32, text string) bool {
	if uint64(at) > uint64(len(table)) {
		return false
	}
	rest, found := bytes.CutPrefix(table[at:], []byte(text))
	return found && len(rest) > 0 && rest[0] == 0
}

// textAt returns the zero-ended text at an offset, "" if there is none.
func textAt(table []byte, at uint32) string {
	if uint64(at) >= uint64(len(table)) {
		return ""
	}
	table = table[at:min(uint64(len(table)), uint64(at)+longestName)]
	if end := bytes.IndexByte(table, 0); end >= 0 {
		table = table[:end]
	}
	return string(table)
}

// load returns the content of a section, which the budget pays.
func (o *object) load(s *section) ([]byte, error) {
	if s.kind == elf.SHT_NOBITS || s.flags&elf.SHF_COMPRESSED != 0 {
		return nil, Malformed
	}
	return o.memory.read(o.r, s.offset, s.size)
}
