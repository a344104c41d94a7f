package render

import "github.com/slicetrace/slicetrace/report/internal/printable"

// Printable escapes visibly whatever could control a terminal or deceive a reader: control
// characters, invalid UTF-8, line and paragraph separators, bidirectional controls and zero-width
// characters.
func Printable(s string) string { return printable.Text(s) }
