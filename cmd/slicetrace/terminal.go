package main

import (
	"os"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// understandsEscapes reports whether a stream is a terminal that, according to TERM,
// understands escape sequences.
func understandsEscapes(f *os.File) bool {
	kind := os.Getenv("TERM")
	return kind != "" && kind != "dumb" && term.IsTerminal(int(f.Fd()))
}

// wantsBold reports whether headings are to be bold. There is no colour, but a user who sets
// NO_COLOR presumably wants plain text.
func wantsBold(f *os.File) bool { return os.Getenv("NO_COLOR") == "" && understandsEscapes(f) }

// isForeground reports whether this process is in the foreground of a terminal, or the
// terminal has no job control. A drawing from the background would disturb another
// program's lines, and under "stty tostop" it would stop this process.
func isForeground(f *os.File) bool {
	group, err := unix.IoctlGetInt(int(f.Fd()), unix.TIOCGPGRP)
	return err != nil || group == unix.Getpgrp()
}

// columns returns a terminal's present width, 80 if it is not known.
func columns(f *os.File) int {
	if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
		return width
	}
	return 80
}
