package symbol

import (
	"strings"
	"unicode/utf8"

	"github.com/ianlancetaylor/demangle"
)

const (
	// longestName bounds the bytes of a name as it stands in a file. Longer ones are cut.
	longestName = 8 << 10
	// longestShown bounds a name as it is shown, demangled.
	longestShown = 1 << 10
)

// shownName returns the name of a function as it is shown: C++ and Rust names demangled, of
// bounded length, valid UTF-8. Suffixes of compilers are kept.
func shownName(raw string) string {
	name := raw
	if mangled(raw) && len(raw) <= longestName {
		// The demangler stops at 2^12 bytes: names that refer to their own parts can grow without bound.
		name = demangle.Filter(raw, demangle.NoParams, demangle.MaxLength(12))
		if suffix := compilerSuffix(raw); suffix != "" && !strings.Contains(name, suffix) {
			name += suffix
		}
	}
	return shorten(name)
}

// mangled reports whether a name can be one of C++ or Rust. Most names are not, and the demangler
// takes microseconds to say so.
func mangled(name string) bool { return strings.HasPrefix(name, "_Z") || strings.HasPrefix(name, "_R") }

// compilerSuffix returns what compilers append to the name of a part or a copy of a function.
func compilerSuffix(raw string) string {
	if i := strings.IndexByte(raw, '.'); i >= 0 {
		return raw[i:]
	}
	return ""
}

// shorten bounds a name's length and makes it valid UTF-8.
func shorten(name string) string {
	name = strings.ToValidUTF8(name, "\uFFFD")
	if len(name) <= longestShown {
		return name
	}
	const more = "…"
	end := longestShown - len(more)
	for !utf8.RuneStart(name[end]) {
		end--
	}
	return name[:end] + more
}
