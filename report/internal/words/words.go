// Package words has functions for writing sentences: lists, plurals, shortened texts, and the name
// that a user probably meant.
package words

import (
	"fmt"
	"strconv"
	"strings"
)

// How many characters of a long text are shown, from both of its ends.
const (
	shortHead = 900
	shortTail = 100
)

// Short shortens a text that is too long to be read, and says how long it is.
func Short(text string) string {
	runes := []rune(text)
	if len(runes) <= shortHead+shortTail {
		return text
	}
	return fmt.Sprintf("%s … (%d characters) … %s",
		string(runes[:shortHead]), len(runes), string(runes[len(runes)-shortTail:]))
}

// Choose returns a if yes is true, otherwise b.
func Choose(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

// List joins at most limit texts, and says how many more there are.
func List(all []string, limit int) string {
	if n := len(all); n > limit {
		return fmt.Sprintf("%s and %d more", strings.Join(all[:limit], ", "), n-limit)
	}
	return strings.Join(all, ", ")
}

// Plural returns a number with its noun, such as "1 run" or "3 runs".
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
