package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/view"
)

// pricesFlag names a report of bundled work, whose prices are those of a program's switches.
type pricesFlag struct {
	name   string
	report *report.Report
}

func (p *pricesFlag) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.name, "prices", "",
		"of a program or what runs already: what threads could save at most, at the prices in this report of\n"+
			"slicetrace run pipe spin on the same machine")
}

// read reads the report, if one is named.
func (p *pricesFlag) read(f format, bundled bool) (err error) {
	switch {
	case p.name == "":
		return nil
	case bundled:
		return usagef("--prices is for a program or what runs already: leave it out for bundled workloads")
	case f != formatText:
		return usagef("--prices is for text: leave out --format %s", f)
	}
	if p.report, err = readReport(p.name); err != nil {
		return err
	}
	if lack := view.PricesLack(p.report); lack != "" {
		return &statusError{exitUsage, fmt.Errorf("--prices %s: %s", p.name, lack)}
	}
	return nil
}
