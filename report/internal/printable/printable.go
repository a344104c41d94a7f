// Package printable makes hostile texts safe to show.
package printable

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text escapes visibly whatever could control a terminal or deceive a reader: control
// characters, invalid UTF-8, line and paragraph separators, bidirectional controls and zero-width
// characters.
func Text(s string) string {
	clean := func(r rune) bool { return unicode.IsPrint(r) && !unicode.Is(unicode.Mn, r) }
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case clean(r) && !blank(r):
			b.WriteRune(r)
		case r < utf8.RuneSelf:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
		s = s[size:]
	}
	return b.String()
}

// blank reports whether a character that Unicode calls a letter or mark is invisible, such as the
// Hangul fillers.
func blank(r rune) bool {
	return unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) || unicode.Is(unicode.Variation_Selector, r)
}
