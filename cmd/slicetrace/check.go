package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/slicetrace/slicetrace/collector"
	"github.com/slicetrace/slicetrace/collector/hostinfo"
)

func newCheck(s streams) *cobra.Command {
	show := formatText
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Show what this kernel and these privileges allow, and how to get what is missing",
		Long: `check tries out everything that run and top need. It shows for each thing whether it is
there, what is used instead or which figures are lost without it, and how to get it.
The exit status is 0 if run would work.`,
		Example: `  sudo slicetrace check
  sudo slicetrace check --format json`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			delayGC()
			a := newAnswer(collector.Checks())
			write := a.text
			if show == formatJSON {
				write = a.json
			}
			if err := write(s.out); err != nil {
				return err
			}
			if !a.Works {
				return &statusError{status: exitFailed}
			}
			return nil
		},
	}
	formats := []string{string(formatText), string(formatJSON)}
	cmd.Flags().Var(formatOf{&show, formats}, "format", "show the checks as "+strings.Join(formats, " or "))
	complete(cmd, "format", formats)
	return cmd
}

// answer is the result of check.
type answer struct {
	// Works is whether run would work.
	Works  bool              `json:"works"`
	Kernel string            `json:"kernel"`
	Arch   string            `json:"arch"`
	Checks []collector.Check `json:"checks"`
}

func newAnswer(checks []collector.Check) answer {
	host := hostinfo.Fingerprint()
	return answer{
		Works:  !slices.ContainsFunc(checks, func(c collector.Check) bool { return c.Status == collector.Missing }),
		Kernel: host.Kernel,
		Arch:   host.Arch,
		Checks: checks,
	}
}

func (a answer) text(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, c := range a.Checks {
		fmt.Fprintf(w, "%s\t%s\t%s\n", c.Name, c.Status, c.Detail)
		if c.Remedy != "" {
			fmt.Fprintf(w, "\t\tremedy: %s\n", c.Remedy)
		}
	}
	return w.Flush()
}

func (a answer) json(out io.Writer) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(a)
}
