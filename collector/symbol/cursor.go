package symbol

import (
	"encoding/binary"
	"math/bits"
)

// A cursor reads numbers from call frame information, one after another. After a read beyond the end it is
// bad, and all it reads is zero.
type cursor struct {
	data []byte
	at   uint64
	bad  bool
}

// bytes returns the next n bytes, nil if there are fewer.
func (c *cursor) bytes(n uint64) []byte {
	if c.bad || c.at > uint64(len(c.data)) || n > uint64(len(c.data))-c.at {
		c.bad = true
		return nil
	}
	b := c.data[c.at : c.at+n]
	c.at += n
	return b
}

// number returns the next number of 1, 2, 4 or 8 bytes. Files of the machines that are unwound are little-endian.
func (c *cursor) number(size uint64) uint64 {
	switch b := c.bytes(size); len(b) {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(binary.LittleEndian.Uint16(b))
	case 4:
		return uint64(binary.LittleEndian.Uint32(b))
	case 8:
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// signed returns the next number of 1, 2, 4 or 8 bytes with its sign.
func (c *cursor) signed(size uint64) uint64 {
	unused := 64 - 8*size
	return uint64(int64(c.number(size)<<unused) >> unused)
}

// packed returns the next number of as many bytes as it needs (LEB128), and its length in bits.
func (c *cursor) packed() (n uint64, length int) {
	const longest = 10 * 7
	for more := true; more && !c.bad; length += 7 {
		b := c.number(1)
		c.bad = c.bad || length == longest
		if length < 64 {
			n |= b & 0x7f << length
		}
		more = b&0x80 != 0
	}
	return n, length
}

func (c *cursor) unsignedLEB() uint64 {
	n, _ := c.packed()
	return n
}

func (c *cursor) signedLEB() int64 {
	n, length := c.packed()
	if length < 64 && bits.Len64(n) == length {
		n |= ^uint64(0) << length
	}
	return int64(n)
}

// text returns the next text, which a zero byte ends. It is a short one.
func (c *cursor) text() []byte {
	const longest = 16
	for start := c.at; !c.bad && c.at-start < longest; {
		if c.number(1) == 0 && !c.bad {
			return c.data[start : c.at-1]
		}
	}
	c.bad = true
	return nil
}

// Encodings of addresses: how they are written, and what they are relative to.
const (
	encodedForm     = 0x0f
	encodedRelative = 0x70
	relativeToPlace = 0x10
	relativeToTable = 0x30
	encodedNowhere  = 0xff
)

// address returns the next address. The data's first byte is at base; table is what addresses can be
// relative to besides their own place.
func (c *cursor) address(encoding byte, base, table uint64) uint64 {
	place := base + c.at
	var n uint64
	switch encoding & encodedForm {
	case 0x0, 0x4, 0xc:
		n = c.number(8)
	case 0x1:
		n = c.unsignedLEB()
	case 0x2:
		n = c.number(2)
	case 0x3:
		n = c.number(4)
	case 0x9:
		n = uint64(c.signedLEB())
	case 0xa:
		n = c.signed(2)
	case 0xb:
		n = c.signed(4)
	default:
		c.bad = true
	}
	switch encoding & encodedRelative {
	case 0:
	case relativeToPlace:
		n += place
	case relativeToTable:
		n += table
	default:
		c.bad = true
	}
	return n
}
