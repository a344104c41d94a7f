package report

import "al.essio.dev/pkg/shellescape"

// CommandLine returns the command as it can be given to a shell: arguments are quoted where
// necessary. It returns "" for bundled workloads.
func (s Setup) CommandLine() string {
	if len(s.Command) == 0 {
		return ""
	}
	return shellescape.QuoteCommand(s.Command)
}
