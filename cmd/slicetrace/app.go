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

// Exit statuses; run -- CMD passes CMD's own on.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
	// exitChanged says that a condition of compare --fail-if was met.
	exitChanged = 3
	// exitUndecided says that compare --fail-if-undecided could not decide a condition.
	exitUndecided = 4
)

// streams are where a command reads and writes.
type streams struct {
	in, out, err *os.File
}

// statusError ends the program with a status of its own. Err is nil when
// there is nothing left to say.
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

// deathError ends the program by a signal; the status is for where that does not.
type deathError struct {
	*statusError
	signal syscall.Signal
}

func (e *deathError) Unwrap() error { return e.statusError }

// usagef says that the command line was wrong.
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

// exitStatus says on standard error why a command failed.
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
		Short: "Measure what a context switch costs here, and whether processes or threads suit the work",
		Long: `slicetrace records the kernel's real time slices with eBPF while bundled work runs
as processes and as threads, or while any program of yours runs, and reports
what switching costs on each core.`,
		Example: `  sudo slicetrace run                       the bundled workloads, both modes
  sudo slicetrace run pipe --cores 0        one workload, on one core
  sudo slicetrace run -- make -j2           any program and its children
  slicetrace report REPORT                  show a saved report again
  slicetrace compare old.json new.json      what changed, with statistics
  slicetrace export REPORT --table cores    its figures as CSV`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		// Cobra sets this only where it prints the suggestion itself.
		SuggestionsMinimumDistance: 2,
	}
	root.Args = unknownCommand(root)
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return refuseEmpty(cmd) }
	root.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w: %s --help lists the flags", err, cmd.CommandPath())
	})
	root.AddCommand(newRun(s), newReport(s), newCompare(s), newExport(s), newList(s), newCheck(s))
	return root
}

// unknownCommand suggests the nearest command, as cobra does only for errors
// that it also prints.
func unknownCommand(root *cobra.Command) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		hint := ""
		if near := root.SuggestionsFor(args[0]); len(near) > 0 {
			hint = fmt.Sprintf(": did you mean %q?", near[0])
		}
		return usagef("there is no command %q%s (slicetrace --help lists them)", args[0], hint)
	}
}

// refuseEmpty refuses a flag that is given nothing, as by a variable that is not set:
// it would mean what leaving it out means.
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

// version is the module's, or "devel" for a build from a checkout.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return info.Main.Version
}
