package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/slicetrace/slicetrace/workloads"
)

func newList(s streams) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the bundled workloads, a line each",
		Example: "  slicetrace list",
		Args:    usageArgs(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
			for _, load := range workloads.Catalogue() {
				fmt.Fprintf(w, "%s\t%s\n", load.Name, load.Summary)
			}
			return w.Flush()
		},
	}
}
