package main

import (
	"bytes"
	"io"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"

	"github.com/slicetrace/slicetrace/cmd/slicetrace/internal/outfile"
)

func newMan(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "man [DIRECTORY]",
		Short: "Write the man pages of slicetrace and its commands",
		Long: `man writes a man page for slicetrace and for each of its commands into a directory:
slicetrace.1, slicetrace-run.1 and so on. The directory is made if its parent exists.
Without a directory, the page of slicetrace goes to standard output.

The pages depend on the version only, so that packages with them are reproducible.`,
		Example: `  slicetrace man | man -l -
  slicetrace man man1`,
		Args: usageArgs(cobra.MaximumNArgs(1)),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(_ *cobra.Command, args []string) error {
			pages, err := manPages(newRoot(s))
			if err != nil {
				return err
			}
			if len(args) > 0 {
				return writeManPages(args[0], pages)
			}
			warnIfClosed(s)
			_, err = s.out.Write(pages[0].text)
			return err
		},
	}
}

// manPage is a man page in roff.
type manPage struct {
	file string
	text []byte
}

// writeManPages writes the pages into a directory, which is made if it is missing.
func writeManPages(dir string, pages []manPage) error {
	owner := invokingUser().owner()
	for _, page := range pages {
		err := outfile.WriteInFolders(dir, []string{page.file}, owner, func(w io.Writer) error {
			_, err := w.Write(page.text)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// manPages returns the page of a root command and then those of all its commands. It changes
// the texts of the commands.
func manPages(root *cobra.Command) ([]manPage, error) {
	root.InitDefaultCompletionCmd()
	root.InitDefaultVersionFlag()
	date, known := commitTime()
	var pages []manPage
	var add func(cmd *cobra.Command) error
	add = func(cmd *cobra.Command) error {
		if !cmd.IsAvailableCommand() || cmd.IsAdditionalHelpTopicCommand() {
			return nil
		}
		forMan(cmd)
		var text bytes.Buffer
		header := doc.GenManHeader{
			Section: "1", Date: &date, Source: "slicetrace " + version(), Manual: "User Commands",
		}
		if err := doc.GenMan(cmd, &header, &text); err != nil {
			return err
		}
		page := manPage{strings.ReplaceAll(cmd.CommandPath(), " ", "-") + ".1", text.Bytes()}
		if !known { // package doc cannot leave the date out
			page.text = bytes.Replace(page.text, []byte(date.Format("Jan 2006")), nil, 1)
		}
		pages = append(pages, page)
		for _, sub := range cmd.Commands() {
			if err := add(sub); err != nil {
				return err
			}
		}
		return nil
	}
	return pages, add(root)
}

// commitTime returns the time of the commit that this program was built from, if the build
// knows it.
func commitTime() (at time.Time, known bool) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return at, false
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.time" {
			var err error
			at, err = time.Parse(time.RFC3339, setting.Value)
			return at, err == nil
		}
	}
	return at, false
}

// forMan turns the texts of a command into Markdown, which package doc expects, and leaves out
// the line that names the generator and the date.
func forMan(cmd *cobra.Command) {
	cmd.DisableAutoGenTag = true
	name, arguments, _ := strings.Cut(cmd.Use, " ")
	cmd.Use = strings.TrimSpace(name + " " + escapeMarkdown(arguments))
	cmd.Short, cmd.Long = escapeMarkdown(cmd.Short), markdown(cmd.Long)
	cmd.InitDefaultHelpFlag()
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		_, f.Usage = pflag.UnquoteUsage(f)
		f.Usage, f.DefValue = escapeMarkdown(f.Usage), escapeMarkdown(f.DefValue)
	})
}

// markdown turns a text into Markdown: lines that are indented are code.
func markdown(text string) string {
	var out strings.Builder
	isCode := false
	for line := range strings.Lines(text) {
		if isIndented := strings.HasPrefix(line, "  ") || strings.HasPrefix(line, "\t"); isIndented != isCode {
			out.WriteString("```\n")
			isCode = isIndented
		}
		if !isCode && !strings.HasPrefix(line, "#") { // cobra's own texts have headings
			line = escapeMarkdown(line)
		}
		out.WriteString(line)
	}
	if isCode {
		out.WriteString("\n```")
	}
	return out.String()
}

var special = regexp.MustCompile("[\\\\`*_{}\\[\\]()#+.!:|&<>~-]")

// escapeMarkdown escapes the characters that have a meaning in Markdown.
func escapeMarkdown(text string) string { return special.ReplaceAllString(text, `\$0`) }
