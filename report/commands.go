package report

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"al.essio.dev/pkg/shellescape"
)

// CommandSetup is one of the commands of a run by rounds.
type CommandSetup struct {
	// Label is the command's name, and the Workload of its trials.
	Label string `json:"label"`
	// Line is the command as it was given.
	Line string `json:"line"`
	// Argv is what was executed: the words of Line, or a shell with Line.
	Argv []string `json:"argv,omitempty"`
}

// OutputSetup is a figure that is read from what a command writes.
type OutputSetup struct {
	// Regexp finds the figure: its first group is the number, and its second, if it has one, the unit.
	Regexp string `json:"regexp"`
	// Unit is "" if the expression has no second group.
	Unit string `json:"unit,omitempty"`
	// LessIsBetter is true for figures such as times.
	LessIsBetter bool `json:"less_is_better,omitempty"`
}

// mostUnit is how long a unit can be.
const mostUnit = 40

// SetUnit sets the unit that was found beside a figure. The error is that another one was found before, or that it is
// too long for a unit.
func (o *OutputSetup) SetUnit(unit string) error {
	switch {
	case len(unit) > mostUnit:
		return fmt.Errorf("a unit of %d characters", len(unit))
	case o.Unit != "" && o.Unit != unit:
		return fmt.Errorf("its figure has the unit %q, and one before it had %q", unit, o.Unit)
	}
	o.Unit = unit
	return nil
}

// RunsCommands reports whether the work is one or more programs that slicetrace did not bundle.
func (s Setup) RunsCommands() bool { return len(s.Command)+len(s.Commands) > 0 }

// CommandLine returns the command as it can be given to a shell, with arguments quoted where
// necessary. Several commands are the flags by which they are given to slicetrace. It returns "" for
// bundled workloads.
func (s Setup) CommandLine() string {
	if len(s.Command) > 0 {
		return shellescape.QuoteCommand(s.Command)
	}
	var flags []string
	for _, c := range s.Commands {
		flags = append(flags, "--command "+shellescape.Quote(c.Line))
	}
	return strings.Join(flags, " ")
}

// maxCommands is far above what a person compares.
const maxCommands = 1000

// validate checks what a run by rounds was asked to do.
func (s Setup) validate() error {
	switch {
	case len(s.Commands) > maxCommands:
		return fmt.Errorf("%d commands are more than %d", len(s.Commands), maxCommands)
	case min(s.Warmup, s.UntracedEvery) < 0:
		return errors.New("a negative number of rounds")
	}
	return s.Watch.validate()
}

// validateCommand checks what only a command has.
func (t *Trial) validateCommand() error {
	switch {
	case t.CPUNS != nil && *t.CPUNS < 0:
		return errors.New("a negative CPU time")
	case t.ExitStatus != nil && *t.ExitStatus < 0:
		return errors.New("a negative exit status")
	case t.Output != nil && (math.IsNaN(*t.Output) || math.IsInf(*t.Output, 0)):
		return errors.New("a figure of the output that is no number")
	}
	return nil
}
