package symbol

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// madeBase is where made call frame information begins, and madeCode where its function does.
const madeBase, madeCode, madeSize = 0x10000, 0x1000, 0x800

// madeFrames returns call frame information of one function with these instructions.
func madeFrames(machine elf.Machine, augmentation string, instructions ...byte) []byte {
	record := func(content []byte) []byte {
		for len(content)%4 != 0 {
			content = append(content, 0)
		}
		return append(binary.LittleEndian.AppendUint32(nil, uint32(len(content))), content...)
	}
	const pairOfFour = relativeToPlace | 0xb
	first := append([]byte{0, 0, 0, 0, 1}, augmentation+"\x00"...)
	if machine == elf.EM_X86_64 {
		first = append(first, 1, 0x78, amd64PC, 1, pairOfFour, 0x0c, amd64SP, 8, 0x80|amd64PC, 1)
	} else {
		first = append(first, 4, 0x78, arm64LR, 1, pairOfFour, 0x0c, arm64SP, 0)
	}
	data := record(first)
	place := len(data) + 4
	function := binary.LittleEndian.AppendUint32(nil, uint32(place))
	start := madeCode - (madeBase + place + 4)
	function = binary.LittleEndian.AppendUint32(function, uint32(int32(start)))
	function = binary.LittleEndian.AppendUint32(function, madeSize)
	data = append(data, record(append(append(function, 0), instructions...))...)
	return append(data, 0, 0, 0, 0)
}

// made returns a file's call frame information from its data.
func made(t testing.TB, machine elf.Machine, data []byte) *callFrames {
	t.Helper()
	f, memory := &callFrames{machine: machine, data: data, base: madeBase}, &budget{left: 1 << 20}
	if err := f.scan(memory); err != nil {
		t.Fatal(err)
	}
	if err := f.makeRows(memory); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestRows(t *testing.T) {
	frame := func(register uint8, offset int64) rule { return rule{kind: plus, register: register, value: offset} }
	at := func(offset int64) rule { return rule{kind: saved, value: offset} }
	for name, c := range map[string]struct {
		instructions []byte
		want         row // at the fourth byte
	}{
		"none":              {nil, row{frame: frame(7, 8), pc: at(-8)}},
		"push":              {[]byte{0x41, 0x0e, 16, 0x86, 2}, row{frame: frame(7, 16), pc: at(-8), fp: at(-16)}},
		"later":             {[]byte{0x45, 0x0e, 16}, row{frame: frame(7, 8), pc: at(-8)}},
		"advance by a byte": {[]byte{0x02, 3, 0x0e, 16, 0x02, 2, 0x0e, 24}, row{frame: frame(7, 16), pc: at(-8)}},
		"advance by two":    {[]byte{0x03, 4, 0, 0x0e, 16}, row{frame: frame(7, 16), pc: at(-8)}},
		"advance by four": {
			[]byte{0x04, 4, 0, 0, 0, 0x0e, 16, 0x04, 0, 0, 1, 0, 0x0e, 8}, row{frame: frame(7, 16), pc: at(-8)},
		},
		"frame pointer": {[]byte{0x0e, 16, 0x86, 2, 0x0d, 6}, row{frame: frame(6, 16), pc: at(-8), fp: at(-16)}},
		"negative":      {[]byte{0x12, 7, 0x7e, 0x11, 6, 2}, row{frame: frame(7, 16), pc: at(-8), fp: at(-16)}},
		"large":         {[]byte{0x0e, 0x80, 0x81, 1}, row{frame: frame(7, 16512), pc: at(-8)}},
		"extended":      {[]byte{0x05, 6, 3, 0x2f, 16, 1}, row{frame: frame(7, 8), pc: at(8), fp: at(-24)}},
		"remember":      {[]byte{0x0a, 0x0c, 6, 16, 0x86, 2, 0x0b}, row{frame: frame(7, 8), pc: at(-8)}},
		"restore":       {[]byte{0x86, 2, 0xc6, 0x90, 4, 0x06, 16}, row{frame: frame(7, 8), pc: at(-8)}},
		"same":          {[]byte{0x86, 2, 0x08, 6}, row{frame: frame(7, 8), pc: at(-8)}},
		"undefined":     {[]byte{0x07, 16}, row{frame: frame(7, 8), pc: rule{kind: undefined}}},
		"in a register": {[]byte{0x09, 16, 3}, row{frame: frame(7, 8), pc: frame(3, 0)}},
		"arguments":     {[]byte{0x2e, 32, 0x83, 2}, row{frame: frame(7, 8), pc: at(-8)}},
		"other registers": {
			[]byte{0x83, 2, 0x05, 0x90, 1, 3, 0x14, 3, 1, 0x10, 3, 1, 0x30}, row{frame: frame(7, 8), pc: at(-8)},
		},
		"unknown instruction": {[]byte{0x3f}, row{}},
		"cut":                 {[]byte{0x05, 0x86, 0x80, 0x80, 0x80, 0x80}, row{}},
		"nothing remembered":  {[]byte{0x0b}, row{}},
		"offset of nothing":   {[]byte{0x0f, 1, 0x30, 0x0e, 16}, row{}},
		"too many remembered": {slices.Repeat([]byte{0x0a}, mostRemembered+1), row{}},
		"too many":            {make([]byte, mostInstructions+1), row{}},
	} {
		f := made(t, elf.EM_X86_64, madeFrames(elf.EM_X86_64, "zR", c.instructions...))
		c.want.found = c.want.frame.kind != unchanged
		for range 2 { // the second is remembered
			if got := f.at(madeCode + 4); got != c.want {
				t.Errorf("%s: got %+v, want %+v", name, got, c.want)
			}
		}
		for _, outside := range []uint64{0, madeCode - 1, madeCode + madeSize, 1<<64 - 1} {
			if f.at(outside).found {
				t.Errorf("%s: a row at %#x", name, outside)
			}
		}
	}
}

// All rows of a static program, most of them of the C library, are those that readelf prints.
func TestRowsLikeReadelf(t *testing.T) {
	program := compile(t, "-static", "-Wl,--eh-frame-hdr")
	file, err := os.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	f := readImage(file, &budget{left: 1 << 30}).callFrames
	if f == nil || f.table == nil {
		t.Fatal("no call frame information")
	}
	scanned := &callFrames{machine: f.machine, data: f.data, base: f.base, rows: make([]cachedRow, 16)}
	if err := scanned.scan(&budget{left: 1 << 30}); err != nil {
		t.Fatal(err)
	}
	names := map[elf.Machine][]string{ // SP, FP, the return address
		elf.EM_X86_64: {"rsp", "rbp", "ra"}, elf.EM_AARCH64: {"sp", "x29", "ra"},
	}[f.machine]
	numbers := map[string]uint8{"rsp": amd64SP, "rbp": amd64FP, "sp": arm64SP, "x29": arm64FP}
	var columns []string
	compared, common := 0, false
	for line := range strings.Lines(run(t, "readelf", "--debug-dump=frames-interp", program)) {
		fields := strings.Fields(line)
		switch {
		case len(fields) > 3 && (fields[3] == "CIE" || fields[3] == "FDE"):
			common = fields[3] == "CIE"
			continue
		case len(fields) > 0 && fields[0] == "LOC":
			columns = fields
			continue
		case common || len(fields) < 2 || len(fields) != len(columns) || len(fields[0]) != 16:
			continue
		}
		address := hexadecimal(t, fields[0])
		got := f.at(address)
		if again := scanned.at(address); again != got {
			t.Fatalf("%#x: without the table %+v, with it %+v", address, again, got)
		}
		for i, column := range columns {
			is := got.frame
			if n := slices.Index(names, column); n >= 0 {
				is = [...]rule{got.sp, got.fp, got.pc}[n]
			} else if column != "CFA" {
				continue
			}
			if said := is.said(numbers); said != fields[i] && !strings.HasPrefix(said, "?") {
				t.Errorf("%#x, %s: got %s, readelf says %s", address, column, said, fields[i])
			}
		}
		compared++
	}
	if compared < 3000 {
		t.Errorf("only %d rows were compared", compared)
	}
}

// said returns a rule as readelf prints it.
func (r rule) said(numbers map[string]uint8) string {
	switch r.kind {
	case undefined, unchanged:
		return "u"
	case saved:
		return fmt.Sprintf("c%+d", r.value)
	case inMemory, computed:
		return "exp"
	}
	for name, number := range numbers {
		if number == r.register {
			return name + fmt.Sprintf("%+d", r.value)
		}
	}
	return "?" // a register that is not followed
}
