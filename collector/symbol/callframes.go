package symbol

import (
	"cmp"
	"debug/elf"
	"encoding/binary"
	"math"
	"slices"
	"unsafe"
)

// Bounds of call frame information.
const (
	mostCallFrames = 96 << 20 // bytes of .eh_frame; those of browsers have a quarter
	mostEntries    = 4 << 20  // functions, where the file has no table of them
	mostRows       = 1024     // remembered of one file
)

// callFrames is what a file says about how its functions' frames lie on the stack (.eh_frame).
type callFrames struct {
	machine elf.Machine
	data    []byte
	base    uint64 // where the linker put data

	// The places of functions by address: the file's own table, of pairs relative to tableBase, or else the
	// entries that were found.
	table     []byte
	tableBase uint64
	entries   []entry

	rows []cachedRow // by hash of the address
}

// entry is where a function starts, and its description in the data.
type entry struct {
	start uint64
	at    uint32
}

// cachedRow is the row of an address that was asked for.
type cachedRow struct {
	address uint64
	valid   bool
	row     row
}

// readCallFrames reads a file's call frame information. It is nil for files of machines that are not unwound.
func (o *object) readCallFrames() (*callFrames, error) {
	if !o.wide || o.order != binary.LittleEndian || o.machine != elf.EM_X86_64 && o.machine != elf.EM_AARCH64 {
		return nil, nil
	}
	f := &callFrames{machine: o.machine}
	s := o.section(".eh_frame")
	offset, size := uint64(0), uint64(0)
	if at, ok := o.readTable(f); ok {
		for _, l := range o.segments { // a file without sections does not say where it ends
			if at >= l.address && at-l.address < l.size {
				offset, size = l.offset+at-l.address, l.size-(at-l.address)
			}
		}
		f.base = at
	}
	switch {
	case s != nil && s.kind != elf.SHT_NOBITS && (size == 0 || s.address == f.base):
		offset, size, f.base = s.offset, s.size, s.address
	case size == 0:
		return nil, Stripped
	}
	if size > mostCallFrames {
		return nil, Malformed
	}
	var err error
	if f.data, err = o.memory.read(o.r, offset, size); err != nil {
		return nil, err
	}
	if f.table == nil {
		if err := f.scan(o.memory); err != nil {
			return nil, err
		}
	}
	if err := f.makeRows(o.memory); err != nil {
		return nil, err
	}
	return f, nil
}

// makeRows makes the cache of rows, which has room for a good part of a file's call sites.
func (f *callFrames) makeRows(memory *budget) error {
	const size = int64(unsafe.Sizeof(cachedRow{}))
	n := 16
	for n < mostRows && n < len(f.data)/64 {
		n *= 2
	}
	if int64(n)*size > memory.left {
		return TooLarge
	}
	memory.left -= int64(n) * size
	f.rows = make([]cachedRow, n)
	return nil
}

// readTable reads the table of functions that linkers add (.eh_frame_hdr), and returns where the call frame
// information is. A table in another form than theirs is not used.
func (o *object) readTable(f *callFrames) (at uint64, ok bool) {
	h := o.callFrames
	if h.size == 0 || h.size > mostCallFrames {
		return 0, false
	}
	data, err := o.memory.read(o.r, h.offset, h.size)
	if err != nil {
		return 0, false
	}
	c := &cursor{data: data}
	version, place, count, form := c.number(1), byte(c.number(1)), byte(c.number(1)), byte(c.number(1))
	if version != 1 || place == encodedNowhere {
		o.memory.left += int64(len(data))
		return 0, false
	}
	at = c.address(place, h.address, h.address)
	const pairs = relativeToTable | 0xb // of four bytes each, with a sign
	if count != encodedNowhere && form == pairs && !c.bad {
		n := c.address(count, h.address, h.address)
		if !c.bad && n > 0 && n <= (uint64(len(data))-c.at)/8 {
			f.table, f.tableBase = data[c.at:c.at+8*n], h.address
		}
	}
	if f.table == nil {
		o.memory.left += int64(len(data))
	}
	return at, !c.bad
}

// scan finds the functions of a file that has no table of them.
func (f *callFrames) scan(memory *budget) error {
	const perEntry = 16
	c := &cursor{data: f.data}
	for c.at < uint64(len(f.data)) {
		at := c.at
		e, next, ok := f.entry(at)
		if next <= at {
			break
		}
		if c.at = next; !ok {
			continue
		}
		if len(f.entries) == mostEntries || memory.left < perEntry*int64(len(f.entries)+1) {
			return TooLarge
		}
		f.entries = append(f.entries, entry{e.start, uint32(at)})
	}
	f.entries = slices.Clip(f.entries)
	memory.left -= perEntry * int64(len(f.entries))
	slices.SortFunc(f.entries, func(a, b entry) int { return cmp.Compare(a.start, b.start) })
	return nil
}

// find returns the place in the data of what describes the function that could hold an address.
func (f *callFrames) find(address uint64) (at uint64, ok bool) {
	if f.table == nil {
		i, exact := slices.BinarySearchFunc(f.entries, address, func(e entry, a uint64) int {
			return cmp.Compare(e.start, a)
		})
		if !exact {
			i--
		}
		if i < 0 {
			return 0, false
		}
		return uint64(f.entries[i].at), true
	}
	word := func(i int) uint64 {
		return f.tableBase + uint64(int64(int32(binary.LittleEndian.Uint32(f.table[4*i:]))))
	}
	low, high := 0, len(f.table)/8
	for low < high {
		if middle := int(uint(low+high) / 2); word(2*middle) <= address {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if low == 0 {
		return 0, false
	}
	at = word(2*low-1) - f.base
	return at, at < uint64(len(f.data))
}

// described is a function's description (FDE), with what it shares with others (CIE).
type described struct {
	common
	start, size uint64
	rules       []byte // instructions
}

// common is what functions share.
type common struct {
	code          uint64 // what advances are multiplied by
	stack         int64  // what offsets are multiplied by
	returnAddress uint64 // the register of the return address
	encoding      byte   // of addresses
	sized         bool   // its augmentation has a length
	signal        bool   // the frame is one that a signal made
	firstRules    []byte
}

// record returns the record at a place, after its length: the part of the data up to its end, and the place of
// the next.
func (f *callFrames) record(at uint64) (c *cursor, next uint64) {
	c = &cursor{data: f.data, at: at}
	size := c.number(4)
	if size == math.MaxUint32 {
		size = c.number(8)
	}
	if c.bad || size == 0 || size > uint64(len(f.data))-c.at {
		return nil, 0
	}
	next = c.at + size
	c.data = f.data[:next]
	return c, next
}

// entry reads the description at a place. It is false for what is none, and next is 0 if nothing can follow.
func (f *callFrames) entry(at uint64) (d described, next uint64, ok bool) {
	c, next := f.record(at)
	if c == nil {
		return d, 0, false
	}
	place := c.at
	back := c.number(4)
	if back == 0 || back > place {
		return d, next, false
	}
	if d.common, ok = f.common(place - back); !ok {
		return d, next, false
	}
	d.start = c.address(d.encoding, f.base, 0)
	d.size = c.address(d.encoding&encodedForm, 0, 0)
	if d.sized {
		c.bytes(c.unsignedLEB())
	}
	if c.bad {
		return d, next, false
	}
	d.rules = c.data[c.at:]
	return d, next, true
}

// common reads what functions share.
func (f *callFrames) common(at uint64) (s common, ok bool) {
	c, _ := f.record(at)
	if c == nil || c.number(4) != 0 {
		return s, false
	}
	version, augmentation := c.number(1), c.text()
	if version != 1 && version != 3 {
		return s, false
	}
	s.code, s.stack = c.unsignedLEB(), c.signedLEB()
	if version == 1 {
		s.returnAddress = c.number(1)
	} else {
		s.returnAddress = c.unsignedLEB()
	}
	var about *cursor // what the letters after z say
	for i, letter := range augmentation {
		switch {
		case letter == 'z' && i == 0:
			about = &cursor{data: c.bytes(c.unsignedLEB())}
			s.sized = true
		case about == nil:
			return s, false
		case letter == 'R':
			s.encoding = byte(about.number(1))
		case letter == 'P':
			about.address(byte(about.number(1))&encodedForm, 0, 0)
		case letter == 'L':
			about.number(1)
		case letter == 'S':
			s.signal = true
		case letter != 'B' && letter != 'G': // arm64's keys and tags, which change no rule
			return s, false
		}
	}
	if c.bad || about != nil && about.bad {
		return s, false
	}
	s.firstRules = c.data[c.at:]
	return s, true
}
