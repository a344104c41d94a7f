//go:build linux

package workloads

import (
	"syscall"
	"time"
)

// chunkSteps makes a chunk about 1 µs of work on a machine of 2020s speed: a step
// is a chain of shifts and a multiplication, some 3 ns.
const chunkSteps = 300

// spin is CPU-bound: three workers for each core count as fast as they can and
// never block, so the kernel must take the CPU from them. One operation is
// one chunk of a fixed number of integer steps, about 1 µs. The variants put four
// on one core, leave one alone there, and let two of two nice levels share one.
// Shares are told where each worker has many slices: on one core some 20, where ticks of
// 250 Hz make them of 4 ms, and fewer where ticks come more seldom.
//
// A worker's only voluntary switch is the one at the end gate.
func spin() Workload {
	return Workload{
		Name:     "spin",
		Summary:  "more CPU-bound workers than cores: slices, fairness",
		variants: spinVariants,
		duration: 150 * time.Millisecond,
		version:  1, // before, one core had three workers for each core there is, and nice four
		perCore:  3,
		body:     churn,
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
func churn(w *worker) syscall.Errno {
	w.begin()
	sum, n := uint64(w.index)+1, int64(0)
	for ; !w.over(n); n++ {
		sum = chunk(sum)
	}
	w.operations = n
	w.kept = sum
	return 0
}

// chunk is one operation: steps of a xorshift-multiply generator, each of which
// needs the result of the one before.
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
