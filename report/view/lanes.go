package view

import "github.com/slicetrace/slicetrace/report"

// Lanes are a picture of who had which core when.
type Lanes struct {
	Groups []LaneGroup
}

// LaneGroup is what the cores did in one short time.
type LaneGroup struct {
	Name string
	// Span is how long the lanes are.
	Span report.Quantity
	// Lanes are the cores, in order.
	Lanes []Lane
}

// Lane is what one core did.
type Lane struct {
	Label string
	// Bars are slices, in the order of time. Where there are none, the core was idle.
	Bars []Bar
}

// Bar is a slice. From and To are parts of the span, 0 to 1.
type Bar struct {
	From, To float64
	// Worker is the worker's number, -1 for another task.
	Worker int
}
