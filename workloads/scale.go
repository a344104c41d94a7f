//go:build linux

package workloads

import (
	"strconv"
	"syscall"
	"time"
)

const (
	// scaleMany is how many workers for each core are many.
	scaleMany = 6
	// scaleSlices is how many slices of a worker the work of one of many lasts, some more
	// than the 20 that are asked for, since machines differ,
	// where a slice is the tick's 4 ms.
	scaleSlices = 24
	// warmUp is how many chunks a worker does before the start gate, about 1 ms.
	warmUp = 1000
)

// scale divides a fixed amount of work among 1, 2, 4, … workers, up to twice the
// cores, and among many: 6 for each core. All are free on all cores. How long they take
// is the result. One operation is one chunk; all workers together do one for each
// microsecond of the trial's duration, on machines with more than 15 cores for each
// eighth core, so that each worker's part stays long against its start. Of many, each
// has work for 20 slices where ticks come at 250 Hz or more.
//
// Each worker has run through its body before the start gate: what it costs to be
// born and to touch memory for the first time is not in it, but is what spawn measures.
//
// A worker's only voluntary switch is the one at the end gate.
func scale() Workload {
	return Workload{
		Name:      "scale",
		Summary:   "a fixed amount of computing, divided among ever more workers",
		variants:  scaleVariants,
		duration:  75 * time.Millisecond,
		version:   1, // before, nobody had run before the gate
		fixedWork: true,
		rehearse:  rehearseScale,
		body:      churn,
	}
}

func scaleVariants(cores int) []Variant {
	var variants []Variant
	for n := 1; n <= 2*cores; n *= 2 {
		variants = append(variants, Variant{Name: strconv.Itoa(n), Workers: n, stretch: max(1, cores/8)})
	}
	// A chunk is some 0.8 µs, so that 75 000 of them last 15 slices.
	many := scaleMany * cores
	return append(variants, Variant{Name: strconv.Itoa(many), Workers: many, stretch: many * scaleSlices / 15})
}

//go:nosplit
//go:norace
func rehearseScale(w *worker) syscall.Errno { return w.rehearseBody(warmUp) }

// share returns how many of the trial's operations worker index does, when all
// workers share them.
func (t Trial) share(v Variant, index int) int64 {
	total := t.Operations
	if total == 0 {
		total = t.Duration.Microseconds() * int64(max(1, v.stretch))
	}
	share := total / int64(t.Workers)
	if int64(index) < total%int64(t.Workers) {
		share++
	}
	return share
}
