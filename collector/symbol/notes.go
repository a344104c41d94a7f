package symbol

import (
	"debug/elf"
	"encoding/binary"
	"encoding/hex"
)

const (
	noteGNUBuildID = 3 // type of a note of owner GNU
	noteGoBuildID  = 4 // of owner Go
	longestBuildID = 256
)

// buildID returns the identity that the linker gave the file: the GNU build id in hexadecimal,
// or else Go's as text, "" if there is none.
func (o *object) buildID() string {
	places := o.notes
	for _, s := range o.sections { // files with debugging information may have no segments
		if s.kind == elf.SHT_NOTE {
			places = append(places, segment{offset: s.offset, size: s.size})
		}
	}
	goID := ""
	for i, p := range places {
		if i == mostSegments {
			break
		}
		data, err := o.scratch(p.offset, p.size, mostNotes)
		if err != nil {
			continue
		}
		gnu, own := buildIDs(data, o.order)
		if gnu != "" {
			return gnu
		}
		if goID == "" {
			goID = own
		}
	}
	return goID
}

// buildIDs returns the build ids in a block of notes.
func buildIDs(data []byte, order binary.ByteOrder) (gnu, goID string) {
	for len(data) >= 12 {
		nameSize, size, kind := order.Uint32(data), order.Uint32(data[4:]), order.Uint32(data[8:])
		data = data[12:]
		name, rest, ok := cutNote(data, nameSize)
		if !ok {
			break
		}
		content, rest, ok := cutNote(rest, size)
		if !ok {
			break
		}
		if data = rest; len(content) > longestBuildID {
			continue
		}
		switch {
		case string(name) == "GNU\x00" && kind == noteGNUBuildID && gnu == "":
			gnu = hex.EncodeToString(content)
		case string(name) == "Go\x00\x00" && kind == noteGoBuildID && goID == "":
			goID = shorten(string(content))
		}
	}
	return gnu, goID
}

// cutNote cuts a part of a note, which is padded to four bytes. Only the last may lack its padding.
func cutNote(data []byte, size uint32) (part, rest []byte, ok bool) {
	if uint64(size) > uint64(len(data)) {
		return nil, nil, false
	}
	padded := (uint64(size) + 3) &^ 3
	return data[:size], data[min(padded, uint64(len(data))):], true
}
