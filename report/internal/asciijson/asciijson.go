// Package asciijson writes JSON that contains only printable characters.
package asciijson

import (
	"encoding/json"
	"io"
	"unicode"
	"unicode/utf8"
)

// Write writes v as Marshal does, followed by a line feed.
func Write(w io.Writer, v any) error {
	text, err := Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}

// Marshal returns v as one line of JSON. Characters that are not printable are escaped, so that
// names from outside cannot control a terminal or reverse the direction of a line. Such characters
// can occur only inside strings.
func Marshal(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	return escapeUnprintable(text), err
}

func escapeUnprintable(text []byte) []byte {
	var out []byte
	done := 0
	for i := 0; i < len(text); {
		if text[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		invisible := unicode.In(r, unicode.Mn, unicode.Other_Default_Ignorable_Code_Point)
		if !unicode.IsPrint(r) || invisible {
			out = append(out, text[done:i]...)
			out = appendEscape(out, r)
			done = i + size
		}
		i += size
	}
	if done == 0 {
		return text
	}
	return append(out, text[done:]...)
}

// appendEscape appends a character as JSON escapes it: as one or two UTF-16 units.
func appendEscape(out []byte, r rune) []byte {
	const hex = "0123456789abcdef"
	unit := func(u rune) {
		out = append(out, '\\', 'u', hex[u>>12&15], hex[u>>8&15], hex[u>>4&15], hex[u&15])
	}
	if r < 0x10000 {
		unit(r)
		return out
	}
	r -= 0x10000
	unit(0xd800 + r>>10)
	unit(0xdc00 + r&0x3ff)
	return out
}
