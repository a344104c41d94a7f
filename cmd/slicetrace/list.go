package main

import (
	"fmt"
	"runtime"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/slicetrace/slicetrace/workloads"
)

func newList(s streams) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the bundled workloads, one on each line",
		Example: "  slicetrace list",
		Args:    usageArgs(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
			for _, load := range workloads.Catalogue() {
				line := append([]string{load.Summary + variantsOf(load)}, load.Missing(runtime.NumCPU())...)
				fmt.Fprintf(w, "%s\t%s\n", load.Name, strings.Join(line, "; "))
			}
			return w.Flush()
		},
	}
}

// manyVariants is the number of names of variants that fit into a line.
const manyVariants = 5

// variantsOf names the variants that a workload has on this machine.
func variantsOf(load workloads.Workload) string {
	var names []string
	word := ""
	for _, v := range load.Variants(runtime.NumCPU()) {
		if v.Name == "" {
			// The plain variant, if there is one, comes first.
			word = "also "
		} else {
			names = append(names, v.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	if len(names) > manyVariants {
		return fmt.Sprintf(" (%d variants)", len(names))
	}
	return " (" + word + strings.Join(names, ", ") + ")"
}
