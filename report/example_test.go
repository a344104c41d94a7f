package report_test

import (
	"bytes"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/slicetrace/slicetrace/report"
)

// saved is a report as slicetrace run saves it, with most of it left out.
const saved = `{
	"schema": 1,
	"created": "2026-11-22T20:11:00Z",
	"host": {"kernel": "6.18.44"},
	"trials": [{
		"workload": "pipe", "mode": "threads", "round": 1,
		"duration_ns": 500000000, "operations": 66500,
		"cores": [{
			"cpu": 0, "wall_ns": 500000000,
			"classes": [{
				"class": "thread", "switches": 3,
				"cost": {"count": 3, "sum_ns": 4600, "max_ns": 1900, "index": [115, 117, 125], "counts": [1, 1, 1]}
			}]
		}]
	}]
}`

// Decode reads a report, as ReadFile does from a file. What was measured is in its trials.
func ExampleDecode() {
	r, err := report.Decode(strings.NewReader(saved))
	if err != nil {
		log.Fatal(err)
	}
	for _, trial := range r.Trials {
		rate := float64(trial.Operations) / time.Duration(trial.DurationNS).Seconds()
		fmt.Printf("%s as %s: %.0f operations/s\n", trial.Workload, trial.Mode, rate)
		for _, core := range trial.Cores {
			for _, class := range core.Classes {
				median, _ := class.Cost.Quantile(0.5)
				fmt.Printf("core %d, %s: %d switches cost %.2f µs each\n",
					core.CPU, class.Class, class.Switches, median/1000)
			}
		}
	}
	// Output:
	// pipe as threads: 133000 operations/s
	// core 0, thread: 3 switches cost 1.38 µs each
}

// What Encode writes, Decode reads.
func ExampleEncode() {
	r := &report.Report{
		Schema:  report.SchemaVersion,
		Created: time.Date(2026, 11, 22, 20, 11, 0, 0, time.UTC),
		Trials: []report.Trial{{
			Workload: "pipe", Mode: report.Threads, Round: 1, DurationNS: 500e6, Operations: 66_500,
		}},
	}
	var file bytes.Buffer
	if err := report.Encode(&file, r); err != nil {
		log.Fatal(err)
	}
	again, err := report.Decode(&file)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(again.Created.Format(time.DateOnly), again.Trials[0].Workload, again.Trials[0].Operations)
	// Output: 2026-11-22 pipe 66500
}
