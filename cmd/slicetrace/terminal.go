package main

import (
	"os"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// understandsEscapes reports whether a stream is a terminal whose type has escape
// sequences, as far as TERM says.
func understandsEscapes(f *os.File) bool {
	kind := os.Getenv("TERM")
	return kind != "" && kind != "dumb" && term.IsTerminal(int(f.Fd()))
}

// wantsBold reports whether headings are to be bold. NO_COLOR is about colour, which we
// have none of; who sets it wants plain text.
func wantsBold(f *os.File) bool { return os.Getenv("NO_COLOR") == "" && understandsEscapes(f) }

// isLookedAt reports whether this process is in the foreground of a terminal, or the
// terminal knows no jobs: else what is drawn disturbs another program's lines, and
// under "stty tostop" it would stop this one.
func isLookedAt(f *os.File) bool {
	group, err := unix.IoctlGetInt(int(f.Fd()), unix.TIOCGPGRP)
	return err != nil || group == unix.Getpgrp()
}

// columns is a terminal's width now, 80 where it does not say.
func columns(f *os.File) int {
	if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
		return width
	}
	return 80
}
