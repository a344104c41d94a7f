package metric_test

import (
	"fmt"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/metric"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

// Both modes run in each round, so they are compared round by round.
func ExampleCompare() {
	r := reporttest.Bundled(12, 2)
	cost := metric.CostP50()
	for _, load := range metric.Loads(r) {
		processes := metric.Sample(metric.TrialsOf(r, load, report.Processes), cost)
		threads := metric.Sample(metric.TrialsOf(r, load, report.Threads), cost)
		d := metric.Compare(processes, threads)
		fmt.Printf("%s: a switch costs %.0f ns and %.0f ns, ratio %.1f (%.1f–%.1f)\n", load.Title(),
			processes.Summary().Center, threads.Summary().Center, d.Center, d.Low, d.High)
	}
	// Output:
	// pipe: a switch costs 3745 ns and 655 ns, ratio 5.7 (5.7–5.7)
	// spin: a switch costs 3721 ns and 670 ns, ratio 5.5 (5.5–5.6)
}
