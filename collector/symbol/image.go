package symbol

import (
	"debug/elf"
	"errors"
	"io"
	"os"
	"strings"
)

// debugFolder holds debugging information that distributions ship apart, by build id. Tests set it.
var debugFolder = "/usr/lib/debug/.build-id/"

// image is what is kept of a file: where its segments are mapped, its functions and their frames.
type image struct {
	segments []segment
	buildID  string
	tables   []*functions
	golang   *goTable
	reason   Reason // why there are no tables

	callFrames *callFrames // nil if there is none
	short      bool        // for want of memory
}

// readImage reads the tables of an ELF file.
func readImage(r io.ReaderAt, memory *budget) *image {
	o, err := openObject(r, memory)
	if err != nil {
		return &image{reason: reasonOf(err)}
	}
	i := &image{segments: o.segments, buildID: o.buildID(), reason: Stripped}
	i.addNames(o)
	// Last, since names need the memory more.
	left := memory.left
	if i.callFrames, err = o.readCallFrames(); err != nil {
		i.short, memory.left = err == TooLarge, left
	}
	return i
}

// addNames reads what names a file's functions.
func (i *image) addNames(o *object) {
	table, err := o.readGoTable()
	if i.golang = table; err != nil {
		i.reason = reasonOf(err)
	}
	i.add(o.readFunctions(elf.SHT_SYMTAB))
	if len(i.tables) > 0 {
		return
	}
	if i.golang == nil {
		i.addSeparate(o.memory)
	}
	if len(i.tables) == 0 {
		// A distribution's file has what others may call here, and the rest compressed.
		i.add(o.readMiniDebug())
		i.add(o.readFunctions(elf.SHT_DYNSYM))
	}
}

// add adds a symbol table. That a table is missing is said only if there is none in the end.
func (i *image) add(f *functions, err error) {
	if err == nil {
		i.tables = append(i.tables, f)
	} else if err != Stripped && i.reason == Stripped {
		i.reason = reasonOf(err)
	}
}

// addSeparate adds the functions of the file with debugging information of the same build.
func (i *image) addSeparate(memory *budget) {
	id := i.buildID
	if len(id) < 4 || !isHex(id) {
		return
	}
	file, err := os.Open(debugFolder + id[:2] + "/" + id[2:] + ".debug")
	if err != nil {
		return
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return
	}
	o, err := openObject(file, memory)
	if err == nil && o.buildID() == id {
		i.add(o.readFunctions(elf.SHT_SYMTAB))
	}
}

func isHex(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// reasonOf returns the reason that an error of this package is.
func reasonOf(err error) Reason {
	var r Reason
	if errors.As(err, &r) {
		return r
	}
	return Unreadable
}

// address returns where the linker put what is at an offset of the file.
func (i *image) address(offset uint64) (uint64, bool) {
	const page = 4096
	for _, slack := range []uint64{0, page - 1} { // mappings are of whole pages
		for _, s := range i.segments {
			start := s.offset &^ slack
			if s.executable && offset >= start && offset-start < s.size+(s.offset-start)+slack {
				return s.address + offset - s.offset, true
			}
		}
	}
	return 0, false
}

// frames adds the frames of an address as the linker knows it, innermost first.
func (i *image) frames(to []Frame, like Frame, address uint64) []Frame {
	if i.golang != nil {
		if frames := i.golang.frames(to, like, address); len(frames) > len(to) {
			return frames
		}
	}
	var best function
	name := ""
	for _, t := range i.tables {
		if f, ok := t.find(address); ok && (name == "" || f.sized && !best.sized || f.start > best.start) {
			best, name = f, textAt(t.names, f.name)
		}
	}
	if name == "" {
		if like.Reason = i.reason; i.golang != nil || len(i.tables) > 0 {
			like.Reason = NoSymbol
		}
		return append(to, like)
	}
	if version := strings.IndexByte(name, '@'); version > 0 { // memcpy@@GLIBC_2.14
		name = name[:version]
	}
	like.Function = shownName(name)
	return append(to, like)
}
