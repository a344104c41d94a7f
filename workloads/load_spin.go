//go:build linux

package workloads

import (
	"syscall"
	"time"
)

// chunkSteps makes a chunk about 1 µs of work on a machine of 2020s speed: a step
// is a chain of shifts and a multiplication, some 3 ns.
const chunkSteps = 300

// spin is CPU-bound: three workers for each core compute as fast as they can and
// never block, so the kernel must take the CPU from them. One operation is
// one chunk of a fixed number of integer steps, about 1 µs. The variants put four workers
// on one core, one worker alone on one core, and two workers of different nice levels on
// one core. Shares of the CPU need many slices of each worker: on one core there are some
// 20, if ticks come at 250 Hz and a slice is 4 ms, and fewer if ticks are rarer.
//
// A worker's only voluntary switch is the one at the end gate.
func spin() Workload {
	return Workload{
		Name:     "spin",
		Summary:  "more CPU-bound workers than cores: slices, fairness",
		variants: spinVariants,
		duration: 150 * time.Millisecond,
		// In version 0, "one core" had three workers for each core of the machine, and
		// "nice" had four.
		version: 1,
		perCore: 3,
		body:    computeBody,
	}
}

func spinVariants(int) []Variant {
	return []Variant{
		{},
		{Name: "one core", workers: 4, firstCore: true, duration: 350 * time.Millisecond},
		{Name: "alone", Workers: 1, firstCore: true, duration: 125 * time.Millisecond},
		{Name: "nice", Workers: 2, firstCore: true, nice: []int{0, 5}, duration: 250 * time.Millisecond},
	}
}

//go:nosplit
//go:norace
func computeBody(w *worker) syscall.Errno {
	w.begin()
	sum, n := uint64(w.index)+1, int64(0)
	for ; !w.over(n); n++ {
		sum = chunk(sum)
	}
	w.operations = n
	w.kept = sum
	return 0
}

// chunk is one operation: steps of a xorshift-multiply generator. Each step needs the
// result of the one before.
//
//go:nosplit
//go:norace
//go:noinline
func chunk(x uint64) uint64 {
	for range chunkSteps {
		x ^= x >> 12
		x ^= x << 25
		x ^= x >> 27
		x *= 0x2545F4914F6CDD1D
	}
	return x
}
