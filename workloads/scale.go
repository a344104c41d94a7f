//go:build linux

package workloads

import (
	"strconv"
	"time"
)

// scaleMany is more workers than most machines have cores for.
const scaleMany = 256

// scale divides a fixed amount of work among 1, 2, 4, … workers, up to twice the
// cores, and among 256, all free on all cores. How long they take is the result.
// One operation is one chunk; all workers together do one for each microsecond
// of the trial's duration.
//
// A worker's only voluntary switch is the one at the end gate.
func scale() Workload {
	return Workload{
		Name:      "scale",
		Summary:   "a fixed amount of computing, divided among ever more workers",
		variants:  scaleVariants,
		duration:  100 * time.Millisecond,
		fixedWork: true,
		body:      churn,
	}
}

func scaleVariants(cores int) []Variant {
	var variants []Variant
	add := func(n int) { variants = append(variants, Variant{Name: strconv.Itoa(n), Workers: n}) }
	for n := 1; n <= 2*cores; n *= 2 {
		add(n)
	}
	if 2*cores < scaleMany {
		add(scaleMany)
	}
	return variants
}

// share returns how many of the trial's operations worker index does, when all
// workers share them.
func (t Trial) share(index int) int64 {
	total := t.Operations
	if total == 0 {
		total = t.Duration.Microseconds()
	}
	share := total / int64(t.Workers)
	if int64(index) < total%int64(t.Workers) {
		share++
	}
	return share
}
