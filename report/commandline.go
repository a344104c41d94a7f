package report

import "al.essio.dev/pkg/shellescape"

// CommandLine returns the command as one can give it to a shell: its arguments are
// quoted, so that one with a space in it can be told from two. "" for bundled work.
func (s Setup) CommandLine() string {
	if len(s.Command) == 0 {
		return ""
	}
	return shellescape.QuoteCommand(s.Command)
}
