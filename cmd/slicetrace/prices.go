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
			"slicetrace run pipe spin (default: the newest slicetrace-*.json here of this machine that has them)")
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

// of returns the prices for a report: those that were asked for, or else those of the newest report here that is of the
// same machine and has enough rounds, as one of a run that was interrupted need not have.
func (p pricesFlag) of(r *report.Report) *view.Prices {
	switch {
	case p.report != nil:
		return &view.Prices{Report: p.report, Name: p.name}
	case len(r.Setup.Workloads) > 0:
		return nil
	}
	prices, name := newestReport(func(other *report.Report) bool {
		found := view.Prices{Report: other}
		return found.HaveInterval() && found.AreOf(r)
	})
	return &view.Prices{Report: prices, Name: name}
}
