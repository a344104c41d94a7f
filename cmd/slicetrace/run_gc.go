package main

import (
	"runtime/debug"

	"github.com/slicetrace/slicetrace/collector"
)

// delayGC collects no garbage up to a GiB: for commands that keep what they read, and
// end when it is shown.
func delayGC() {
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(1 << 30)
}

// saveMemory collects more often than is fast: for a report that is made of all that
// was measured, on a machine that may have no memory to spare.
func saveMemory() { debug.SetGCPercent(40) }

// openCollector opens a collector, and collects no garbage meanwhile: the kernel's
// types make much, and are gone when the work begins.
func openCollector(o collector.Options) (*collector.Collector, error) {
	before := debug.SetGCPercent(-1)
	defer debug.SetGCPercent(before)
	return collector.Open(o)
}
