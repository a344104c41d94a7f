package collector

import (
	"slices"

	"github.com/slicetrace/slicetrace/report/histogram"
)

// latencies only ever grow, except max, which is since the last snapshot.
type latencies struct {
	sum, max uint64
	bucket   []uint64
}

// grow takes over a kernel histogram. Its buckets are 32 bits wide and wrap, so what they have
// gained since the last reading is added. Its sum does not wrap.
func (h *latencies) grow(now, last []uint32, sum, max uint64) {
	if h.bucket == nil {
		h.bucket = make([]uint64, len(now))
	}
	for i, n := range now {
		h.bucket[i] += uint64(n - last[i])
	}
	h.sum = sum
	h.raise(max)
}

// add counts one value.
func (h *latencies) add(v uint64) {
	h.bucket[min(histogram.BucketOf(v), len(h.bucket)-1)]++
	h.sum += v
	h.raise(v)
}

func (h *latencies) raise(v uint64) { h.max = max(h.max, v) }

func (h latencies) clone() latencies {
	h.bucket = slices.Clone(h.bucket)
	return h
}

// since returns what h gained over before.
func (h latencies) since(before latencies) histogram.Histogram {
	counts := slices.Clone(h.bucket)
	highest := -1
	for i := range counts {
		if i < len(before.bucket) {
			counts[i] -= before.bucket[i]
		}
		if counts[i] > 0 {
			highest = i
		}
	}
	if highest < 0 {
		return histogram.Histogram{}
	}
	// The switch under way at the snapshot before was part of that snapshot, but raised the
	// kernel's maximum only after it.
	low, high := histogram.BucketBounds(highest)
	longest := h.max
	if highest < len(h.bucket)-1 {
		longest = min(longest, high-1)
	}
	return histogram.New(counts, h.sum-before.sum, max(longest, low))
}
