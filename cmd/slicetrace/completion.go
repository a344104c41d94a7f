package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slicetrace/slicetrace/report/render"
	"github.com/slicetrace/slicetrace/report/table"
)

// complete makes the shell's completion offer fixed words for a flag.
func complete(cmd *cobra.Command, flag string, words []string) {
	// The call fails only for a flag that does not exist.
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}

// completeRun offers workloads. After "--" it offers programs for the first word and
// files for the rest.
func completeRun(_ *cobra.Command, _ []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	// Cobra does not tell whether "--" precedes the word.
	line := os.Args[:max(len(os.Args)-1, 0)]
	switch program := slices.Contains(line, "--"); {
	case !program:
		return workloadNames(), cobra.ShellCompDirectiveNoFileComp
	case line[len(line)-1] == "--" && word != "" && !strings.Contains(word, "/"):
		return programs(word), cobra.ShellCompDirectiveDefault
	}
	return nil, cobra.ShellCompDirectiveDefault
}

// programs returns the executables on the PATH whose names begin with a word.
func programs(word string) []string {
	var names []string
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		entries, _ := os.ReadDir(dir) // a folder that cannot be read offers nothing
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), word) && isExecutable(filepath.Join(dir, e.Name())) {
				names = append(names, e.Name())
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func isExecutable(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// completeTable offers the tables of the file named: a report's or a recording's, or all
// if the file cannot be read.
func completeTable(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	tables := slices.Concat(table.Names(), render.RecordingTableNames())
	if len(args) == 0 {
		return tables, cobra.ShellCompDirectiveNoFileComp
	}
	if info, err := os.Stat(args[0]); err != nil || !info.Mode().IsRegular() {
		return tables, cobra.ShellCompDirectiveNoFileComp
	}
	in, err := openInput(args[0])
	if err != nil {
		return tables, cobra.ShellCompDirectiveNoFileComp
	}
	defer in.Close()
	if in.recording {
		return render.RecordingTableNames(), cobra.ShellCompDirectiveNoFileComp
	}
	return table.Names(), cobra.ShellCompDirectiveNoFileComp
}
