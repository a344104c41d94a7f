//go:build linux

package workloads_test

import (
	"fmt"
	"log"

	"github.com/slicetrace/slicetrace/workloads"
)

// Catalogue lists the bundled workloads.
func ExampleCatalogue() {
	for _, w := range workloads.Catalogue() {
		fmt.Println(w.Name)
	}
	// Output:
	// pipe
	// socket
	// futex
	// messaging
	// spin
	// yield
	// spawn
	// workingset
	// sleep
	// interactive
	// counter
	// scale
	// crash
}

// Each round has every variant of every workload once in each mode; the order alternates.
func ExamplePlan_Trials() {
	futex, err := workloads.Find("futex")
	if err != nil {
		log.Fatal(err)
	}
	plan := workloads.Plan{
		Workloads: []workloads.Workload{futex},
		Modes:     []workloads.Mode{workloads.Processes, workloads.Threads},
		Rounds:    2,
		CPUs:      []workloads.CPU{0},
	}
	for _, t := range plan.Trials() {
		fmt.Printf("round %d: %s as %s\n", t.Round, t.Name(), t.Mode)
	}
	// Output:
	// round 1: futex as processes
	// round 1: futex as threads
	// round 2: futex as threads
	// round 2: futex as processes
}
