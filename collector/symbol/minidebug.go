package symbol

import (
	"bytes"
	"debug/elf"
	"errors"
	"io"

	"github.com/ulikunitz/xz/lzma"
)

const (
	mostCompressed = 16 << 20
	mostUnpacked   = 64 << 20
	mostDictionary = 64 << 20
	mostBlocks     = 64 // each has a dictionary to allocate
)

// readMiniDebug reads the functions of the section .gnu_debugdata, which is a compressed ELF file.
func (o *object) readMiniDebug() (*functions, error) {
	s := o.section(".gnu_debugdata")
	if s == nil {
		return nil, Stripped
	}
	packed, err := o.scratch(s.offset, s.size, mostCompressed)
	if err != nil {
		return nil, err
	}
	data, err := unpackXZ(packed)
	if err != nil {
		return nil, err
	}
	inner, err := openObject(bytes.NewReader(data), o.memory)
	if err != nil {
		return nil, err
	}
	return inner.readFunctions(elf.SHT_SYMTAB)
}

// unpackXZ unpacks an xz file of one stream. The library's own reader of the format allocates the
// dictionary that the file names, up to 4 GiB, so that only its LZMA2 reader is used. Check sums
// are not compared: damage shows as an ELF file that is malformed.
func unpackXZ(data []byte) ([]byte, error) {
	const header = 12
	if len(data) < header || !bytes.HasPrefix(data, []byte("\xfd7zXZ\x00")) {
		return nil, Malformed
	}
	checkSize, known := map[byte]int{0: 0, 1: 4, 4: 8, 10: 32}[data[7]&0xf]
	if !known {
		return nil, Malformed
	}
	var out bytes.Buffer
	in := bytes.NewReader(data[header:])
	for range mostBlocks {
		size, err := in.ReadByte()
		if err != nil {
			return nil, Malformed
		}
		if size == 0 { // the index, after the last block
			return out.Bytes(), nil
		}
		block := make([]byte, 4*(int(size)+1)-1)
		if _, err := io.ReadFull(in, block); err != nil {
			return nil, Malformed
		}
		dictionary, ok := blockDictionary(block)
		if !ok {
			return nil, Malformed
		}
		if dictionary > mostDictionary {
			return nil, TooLarge
		}
		if err := unpackBlock(&out, in, int(dictionary)); err != nil {
			return nil, err
		}
		padding := -(len(data) - header - in.Len()) & 3
		if _, err := in.Seek(int64(padding+checkSize), io.SeekCurrent); err != nil {
			return nil, Malformed
		}
	}
	return nil, TooLarge
}

// unpackBlock unpacks the block at which the reader stands.
func unpackBlock(out *bytes.Buffer, in *bytes.Reader, dictionary int) error {
	blocks, err := lzma.Reader2Config{DictCap: dictionary}.NewReader2(in)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return Malformed
	}
	if _, err := io.Copy(out, io.LimitReader(blocks, mostUnpacked+1-int64(out.Len()))); err != nil {
		return Malformed
	}
	if out.Len() > mostUnpacked {
		return TooLarge
	}
	return nil
}

// blockDictionary returns the size of the dictionary from a block's header after its first byte.
// LZMA2 must be the only filter.
func blockDictionary(block []byte) (uint64, bool) {
	flags, rest := block[0], block[1:]
	if flags&3 != 0 {
		return 0, false
	}
	for _, present := range []byte{0x40, 0x80} { // the sizes, packed and unpacked
		for more := flags&present != 0; more; rest = rest[1:] {
			if len(rest) == 0 {
				return 0, false
			}
			more = rest[0]&0x80 != 0
		}
	}
	const lzma2 = 0x21
	if len(rest) < 3 || rest[0] != lzma2 || rest[1] != 1 || rest[2] > 40 {
		return 0, false
	}
	bits := uint64(rest[2])
	return max(lzma.MinDictCap, (2|bits&1)<<(bits/2+11)), true
}
