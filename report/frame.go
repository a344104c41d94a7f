package report

import (
	"fmt"
	"strings"
	"unicode"
)

// Name is the function's name or, if it has none, its address and module. It is never empty, and can be
// hostile.
func (f *Frame) Name() string {
	switch {
	case f.Function != "":
		return f.Function
	case f.Address == 0 && f.Module == "":
		return "unknown"
	case f.Address == 0:
		return "unknown in " + f.Module
	case f.Module == "":
		return fmt.Sprintf("%#x", f.Address)
	}
	return fmt.Sprintf("%#x in %s", f.Address, f.Module)
}

// Label is the function's name or, if it has none, that of its module in brackets, as pprof and perf write
// it: the same in every run, unlike an address. It can be hostile.
func (f *Frame) Label() string {
	switch {
	case f.Function != "":
		return f.Function
	case f.Module != "":
		return "[" + f.Module + "]"
	}
	return "[unknown]"
}

// FoldedName is Name as a part of a folded stack: no semicolon, which separates functions there, and
// nothing that could end the line.
func (f *Frame) FoldedName() string { return foldedName(f.Name()) }

// FoldedLabel is Label as a part of a folded stack.
func (f *Frame) FoldedLabel() string { return foldedName(f.Label()) }

func foldedName(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ';':
			return ':'
		case unicode.IsControl(r), r == '\u2028', r == '\u2029':
			return '_'
		}
		return r
	}, strings.ToValidUTF8(name, "\ufffd"))
}

// Folded writes a stack as others write folded stacks: the names joined by semicolons, the outermost
// first. It is "" if there is no such stack.
func (r *Report) Folded(stack int) string {
	if stack < 0 || stack >= len(r.Stacks) {
		return ""
	}
	frames := r.Stacks[stack]
	names := make([]string, len(frames))
	for i, frame := range frames {
		names[len(frames)-1-i] = r.Frames[frame].FoldedName()
	}
	return strings.Join(names, ";")
}
