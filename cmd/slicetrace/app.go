package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/slicetrace/slicetrace/workloads"
)

// Exit statuses. "run -- CMD" exits with CMD's own.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
	// exitChanged is for a condition of compare --fail-if that was met.
	exitChanged = 3
	// exitUndecided is for a condition that could not be decided, under compare --fail-if-undecided.
	exitUndecided = 4
)

// streams are where a command reads and writes.
type streams struct {
	in, out, err *os.File
}

// statusError ends the program with an exit status of its own. If err is nil, nothing
// is printed.
type statusError struct {
	status int
	err    error
}

func (e *statusError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.status)
	}
	return e.err.Error()
}

func (e *statusError) Unwrap() error { return e.err }

// deathError makes the program die of a signal. Its status is used if the signal does
// not end the program.
type deathError struct {
	*statusError
	signal syscall.Signal
}

func (e *deathError) Unwrap() error { return e.statusError }

// usagef returns the error for a wrong command line.
func usagef(format string, args ...any) error {
	return &statusError{exitUsage, fmt.Errorf(format, args...)}
}

// run executes one command line and returns the exit status.
func run(ctx context.Context, args []string, s streams) int {
	root := newRoot(s)
	root.SetArgs(args)
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	return exitStatus(s, root.ExecuteContext(ctx))
}

// exitStatus prints on standard error why a command failed, and returns its exit status.
func exitStatus(s streams, err error) int {
	if err == nil {
		return exitDone
	}
	var own *statusError
	if !errors.As(err, &own) {
		own = &statusError{exitFailed, err}
	}
	if own.err != nil {
		fmt.Fprintf(s.err, "slicetrace: %v\n", oneLine(err))
	}
	var death *deathError
	if errors.As(err, &death) {
		workloads.RaiseDefault(death.signal)
	}
	return own.status
}

// oneLine keeps an error that joins others on one line.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

func newRoot(s streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "slicetrace",
		Short: "Measure what context switches cost on this machine, for processes and for threads",
		Long: `slicetrace watches the kernel's scheduler with eBPF while bundled workloads run as
processes and as threads, or while any program of yours runs, and reports what
context switches cost on each core.`,
		Example: `  sudo slicetrace run                       the bundled workloads, both modes
  sudo slicetrace run pipe --cores 0        one workload, on one core
  sudo slicetrace run -- make -j2           any program and its children
  slicetrace report REPORT                  show a saved report again
  slicetrace compare old.json new.json      what changed, with statistics
  slicetrace export REPORT --table cores    its figures as CSV`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		// Cobra sets this itself only if it also prints the suggestion.
		SuggestionsMinimumDistance: 2,
	}
	root.Args = unknownCommand(root)
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return refuseEmpty(cmd) }
	root.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w: %s --help lists the flags", err, cmd.CommandPath())
	})
	root.AddCommand(newRun(s), newReport(s), newCompare(s), newExport(s), newList(s), newCheck(s), newMan(s), newTop(s),
		newExplain(s))
	return root
}

// unknownCommand suggests the nearest command. Cobra would do so only for errors that it prints
// itself.
func unknownCommand(root *cobra.Command) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		var names []string
		for _, cmd := range root.Commands() {
			names = append(names, cmd.Name())
		}
		return usagef("there is no command %q%s: slicetrace --help lists them", args[0], hint(args[0], names))
	}
}

// hint asks for the one of some names that is most like a word, by the measure that cobra has for
// commands. It is "" if none is like it.
func hint(word string, names []string) string {
	list := &cobra.Command{}
	for _, name := range names {
		list.AddCommand(&cobra.Command{Use: name, Run: func(*cobra.Command, []string) {}})
	}
	for _, edits := range []int{1, 2} {
		list.SuggestionsMinimumDistance = edits
		if near := list.SuggestionsFor(word); word != "" && len(near) > 0 {
			return fmt.Sprintf(" (did you mean %q?)", near[0])
		}
	}
	return ""
}

// refuseEmpty rejects a flag with an empty value, as a shell variable that is not set
// makes it: the flag would count as left out.
func refuseEmpty(cmd *cobra.Command) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		if len(values) == 0 || slices.Contains(values, "") {
			err = usagef("--%s is empty: give it a value, or leave it out", f.Name)
		}
	})
	return err
}

// usageArgs makes a wrong number of arguments a usage error.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usagef("%w: usage: %s", err, cmd.UseLine())
		}
		return nil
	}
}

// version returns the module's version, or "devel" for a build from a checkout.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return info.Main.Version
}
