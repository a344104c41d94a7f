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

// complete offers fixed words for a flag to the shell's completion.
func complete(cmd *cobra.Command, flag string, words []string) {
	// The call fails only for a flag that does not exist.
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}

// completeRun offers workloads or, after --, programs and then files.
func completeRun(_ *cobra.Command, _ []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	// Cobra does not tell whether a -- precedes the word.
	line := os.Args[:max(len(os.Args)-1, 0)]
	switch program := slices.Contains(line, "--"); {
	case !program:
		return workloadNames(), cobra.ShellCompDirectiveNoFileComp
	case line[len(line)-1] == "--" && word != "" && !strings.Contains(word, "/"):
		return programs(word), cobra.ShellCompDirectiveDefault
	}
	return nil, cobra.ShellCompDirectiveDefault
}

// programs are those on the PATH that begin with a word.
func programs(word string) []string {
	var names []string
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		entries, _ := os.ReadDir(dir) // one that cannot be read offers nothing
		for _, e := range entries {
			if !strings.HasPrefix(e.Name(), word) {
				continue
			}
			if info, err := os.Stat(filepath.Join(dir, e.Name())); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
				names = append(names, e.Name())
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// completeTable offers the tables of what the file is, or all where that is not known.
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
