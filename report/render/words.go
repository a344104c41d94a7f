package render

import (
	"strings"
)

// words splits a text at its spaces, but keeps a word together with what is read as a part of it.
func words(s string) []string {
	var out []string
	last := ""
	for _, w := range strings.Fields(s) {
		if n := len(out); n > 0 && together(last, w) {
			out[n-1] += " " + w
		} else {
			out = append(out, w)
		}
		last = w
	}
	return out
}

// together reports whether a word is on the same line as the one before it: a separating dot, the unit of a
// number, the next three digits of a large one, both sides of ±, and all of "… 3 more".
func together(before, word string) bool {
	isDigit := func(c byte) bool { return '0' <= c && c <= '9' }
	if word == "·" || before == "…" {
		return word == "·" || isDigit(word[0])
	}
	if word == "±" || before == "±" {
		return true
	}
	number := strings.TrimLeft(before, "(-+><")
	bare := strings.TrimRight(word, ".,;:)")
	switch strings.TrimSuffix(bare, "/s") {
	case "%", "×", "ppm", "ns", "µs", "ms", "s", "B", "KiB", "MiB", "GiB", "more":
		return isDigit(before[len(before)-1])
	}
	return isGroup(strings.TrimSuffix(bare, "/s"), 3, 3) && isGroup(number, 1, 3)
}

// isGroup reports whether a word is digits, and as many as a group of a large number has.
func isGroup(word string, least, most int) bool {
	return least <= len(word) && len(word) <= most && strings.Trim(word, "0123456789") == ""
}
