package compare_test

import (
	"fmt"
	"log"

	"github.com/slicetrace/slicetrace/report/compare"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

// Five runs a side, made in turns, show that about a tenth of the operations of pipe is missing.
func ExampleReports() {
	slower := reporttest.Change(reporttest.Bundled(6, 1), "pipe", 0.9)
	before, after := reporttest.Turns(reporttest.Bundled(6, 1), slower, 5, 0.01, 1)
	c, err := compare.Reports(
		reporttest.Inputs("old", before), [][]compare.Input{reporttest.Inputs("new", after)}, compare.Options{})
	if err != nil {
		log.Fatal(err)
	}
	for _, change := range c.Pairs[0].Changes {
		if change.Primary && change.Outcome == compare.Changed {
			fmt.Printf("%s of %s in %s: %.0f %%\n", change.Metric, change.Workload, change.Mode, *change.Percent)
		}
	}
	// Output:
	// operations of pipe in processes: -11 %
	// operations of pipe in threads: -11 %
}

// A condition, as compare --fail-if takes it, can be about some workloads or about all.
func ExampleParseCondition() {
	for _, text := range []string{"pipe/threads:operations<-5%", "wait_p99>1ms"} {
		c, err := compare.ParseCondition(text)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%q %q %s %t %g %t\n", c.Workload, c.Mode, c.Metric, c.Less, c.Limit, c.Absolute)
	}
	// Output:
	// "pipe" "threads" operations true -5 false
	// "" "" wait_p99 false 1e+06 true
}
