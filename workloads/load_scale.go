//go:build linux

package workloads

import (
	"strconv"
	"syscall"
	"time"
)

const (
	// scaleMany is the number of workers for each core in the variant with many workers.
	scaleMany = 6
	// scaleSlices is for how many slices each of many workers has work, if a slice is a tick
	// of 4 ms. The goal is 20; machines differ, so there are some more.
	scaleSlices = 24
	// warmUp is how many chunks a worker does before the start gate, about 1 ms.
	warmUp = 1000
)

// scale divides a fixed amount of work among 1, 2, 4, … workers, up to twice the number of
// cores, and among many: 6 for each core. All may run on all cores. The result is how long
// they take. One operation is one chunk. All workers together do one chunk for each
// microsecond of the trial's duration; on machines with more than 15 cores they do one for
// each eighth core as well, so that each worker's part remains long compared with its
// start. Each of many workers has work for 20 slices, where ticks come at 250 Hz or more.
//
// Each worker runs its body once before the start gate, so that the cost of creating it and
// of touching its memory for the first time is not measured here: spawn measures that.
//
// A worker's only voluntary switch is the one at the end gate.
func scale() Workload {
	return Workload{
		Name:      "scale",
		Summary:   "a fixed amount of computing, divided among ever more workers",
		variants:  scaleVariants,
		duration:  75 * time.Millisecond,
		version:   1, // in version 0, workers did not run before the gate
		fixedWork: true,
		rehearse:  rehearseScale,
		body:      computeBody,
	}
}

func scaleVariants(cores int) []Variant {
	var variants []Variant
	for n := 1; n <= 2*cores; n *= 2 {
		variants = append(variants, Variant{Name: strconv.Itoa(n), Workers: n, stretch: max(1, cores/8)})
	}
	// A chunk takes some 0.8 µs, so that 75 000 of them last for 15 slices.
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
