package report

import (
	"fmt"

	"al.essio.dev/pkg/shellescape"
)

// CommandLine returns the command as one can give it to a shell: its arguments are
// quoted, so that one with a space in it can be told from two. "" for bundled work.
func (s Setup) CommandLine() string {
	if len(s.Command) == 0 {
		return ""
	}
	return shellescape.QuoteCommand(s.Command)
}

// What is shown of a text for a heading: both of its ends.
const (
	shortHead = 900
	shortTail = 100
)

// short cuts a text that nobody would read to its end, and says how long it is.
func short(text string) string {
	runes := []rune(text)
	if len(runes) <= shortHead+shortTail {
		return text
	}
	return fmt.Sprintf("%s … (%d characters) … %s",
		string(runes[:shortHead]), len(runes), string(runes[len(runes)-shortTail:]))
}
