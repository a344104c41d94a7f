package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// format is how a report is shown. It is a flag's value.
type format string

const (
	formatText format = "table"
	formatJSON format = "json"
	formatCSV  format = "csv"
)

func formats() []string {
	return []string{string(formatText), string(formatJSON), string(formatCSV)}
}

func (f *format) String() string { return string(*f) }

// Type names the value in help texts.
func (f *format) Type() string { return "FORMAT" }

// Set accepts a format's name.
func (f *format) Set(s string) error {
	if !slices.Contains(formats(), s) {
		return fmt.Errorf("the formats are %s", strings.Join(formats(), ", "))
	}
	*f = format(s)
	return nil
}

func addFormat(cmd *cobra.Command, f *format) {
	cmd.Flags().Var(f, "format", "show the report as table, json or csv (csv: the table cores; export has the others)")
	complete(cmd, "format", formats())
}

// complete offers fixed words for a flag to the shell's completion.
func complete(cmd *cobra.Command, flag string, words []string) {
	// The call fails only for a flag that does not exist.
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}
