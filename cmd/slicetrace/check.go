package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/slicetrace/slicetrace/collector"
)

func newCheck(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Say what this kernel and these privileges allow, a line each, with the remedy",
		Long: `check tries what run needs and says for each thing whether it is there, what
stands in for it or which figure is lost without it, and how to get it.
It exits with 0 if run would work.`,
		Example: "  sudo slicetrace check",
		Args:    usageArgs(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
			works := true
			for _, c := range collector.Checks() {
				works = works && c.Status != collector.Missing
				fmt.Fprintf(w, "%s\t%s\t%s\n", c.Name, c.Status, c.Detail)
				if c.Remedy != "" {
					fmt.Fprintf(w, "\t\tremedy: %s\n", c.Remedy)
				}
			}
			if err := w.Flush(); err != nil {
				return err
			}
			if !works {
				return &statusError{status: exitFailed}
			}
			return nil
		},
	}
}
