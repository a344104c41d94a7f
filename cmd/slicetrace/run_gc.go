package main

import (
	"runtime/debug"

	"github.com/slicetrace/slicetrace/collector"
)

// delayGC turns garbage collection off until the heap has 1 GiB. It is for commands that
// keep all that they read and end soon.
func delayGC() {
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(1 << 30)
}

// saveMemory makes garbage collection more frequent. It is for a watch, which may go on for days, and for the end
// of a run, where a report is made of everything that was measured: the machine may be short of memory.
func saveMemory() { debug.SetGCPercent(40) }

// openCollector opens a collector with garbage collection off meanwhile: reading the
// kernel's types makes much garbage, and it is collected before the work begins.
func openCollector(o collector.Options) (*collector.Collector, error) {
	before := debug.SetGCPercent(-1)
	defer debug.SetGCPercent(before)
	return collector.Open(o)
}
