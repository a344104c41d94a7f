package view_test

import (
	"fmt"

	"github.com/slicetrace/slicetrace/report/reporttest"
	"github.com/slicetrace/slicetrace/report/view"
)

// A Summary has every figure that a renderer draws, section by section.
func ExampleOverview() {
	s := view.Overview(reporttest.Bundled(6, 2))
	for _, section := range s.Sections {
		fmt.Println(section.Title)
	}
	// Output:
	// Switch cost per core
	// Work done
	// Switches of each workload
	// Time slices and waits
	// Findings
	// Processes or threads?
	// Trust
}
