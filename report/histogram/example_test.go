package histogram_test

import (
	"fmt"

	"github.com/slicetrace/slicetrace/report/histogram"
)

// count returns the histogram of some durations in nanoseconds.
func count(durations ...uint64) histogram.Histogram {
	var counts []uint64
	var sum, longest uint64
	for _, ns := range durations {
		bucket := histogram.BucketOf(ns)
		for len(counts) <= bucket {
			counts = append(counts, 0)
		}
		counts[bucket]++
		sum, longest = sum+ns, max(longest, ns)
	}
	return histogram.New(counts, sum, longest)
}

// Sums, counts and maxima are exact. A quantile is off by at most the width of its bucket.
func Example() {
	h := count(1210, 1230, 1250, 1900, 250_000)
	median, _ := h.Quantile(0.5)
	mean, _ := h.Mean()
	fmt.Printf("%d values, median %.0f ns, mean %.0f ns, longest %d ns\n", h.Count, median, mean, h.MaxNS)

	_, ok := histogram.Histogram{}.Quantile(0.5)
	fmt.Println("an empty histogram has a median:", ok)
	// Output:
	// 5 values, median 1263 ns, mean 51118 ns, longest 250000 ns
	// an empty histogram has a median: false
}

// A bucket is at most 1/16 of its lower bound wide.
func ExampleBucketBounds() {
	for _, ns := range []uint64{7, 1250, 1_000_000} {
		low, high := histogram.BucketBounds(histogram.BucketOf(ns))
		fmt.Printf("%d is in [%d, %d)\n", ns, low, high)
	}
	// Output:
	// 7 is in [7, 8)
	// 1250 is in [1216, 1280)
	// 1000000 is in [983040, 1015808)
}

// A Sum adds up the histograms of several cores.
func ExampleSum() {
	var sum histogram.Sum
	sum.Add(count(1210, 1230))
	sum.Add(count(1250, 250_000))
	all := sum.Histogram()
	for bucket, n := range all.Buckets() {
		low, high := histogram.BucketBounds(bucket)
		fmt.Printf("%d from %d to below %d ns\n", n, low, high)
	}
	// Output:
	// 1 from 1152 to below 1216 ns
	// 2 from 1216 to below 1280 ns
	// 1 from 245760 to below 253952 ns
}
