package findings_test

import (
	"fmt"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/findings"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

// Compute decides each of the textbook's claims for the machine of a report.
func ExampleCompute() {
	r := reporttest.Bundled(12, 2)
	findings.Compute(r)
	for _, f := range r.Findings {
		if f.Verdict == report.Supported {
			e := f.Effect
			fmt.Printf("%s is %s by %s: %s %.1f\n", f.Claim, f.Verdict, e.Workload, e.Name, e.Median)
		}
	}
	// Output:
	// C3 is supported by pipe: operations, processes ÷ threads 0.5
	// C4 is supported by pipe: cost of a switch p50, processes ÷ threads 5.7
}

// Preferences are about the kinds of work that ran in both modes.
func ExamplePreferences() {
	for _, p := range findings.Preferences(reporttest.Bundled(12, 2)) {
		switch {
		case !p.Decided:
			fmt.Println(p.Work, "is undecided")
		case p.Mode == "":
			fmt.Println("for", p.Work, "the modes are alike")
		default:
			fmt.Printf("for %s, %s are better: processes ÷ threads %.2f\n", p.Work, p.Mode, p.Ratio.Center)
		}
	}
	// Output:
	// for hand-offs by pipe, threads are better: processes ÷ threads 0.49
	// for computing, cores shared the modes are alike
}
