package report

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// SubBuckets is the number of buckets in each octave of a Histogram: a bucket
// is at most 1/16 of its lower bound wide.
const SubBuckets = 16

const (
	subBits = 4
	// lastBucket is BucketOf(math.MaxUint64).
	lastBucket = (64-subBits)<<subBits + SubBuckets - 1
)

// Histogram is a log-linear distribution of durations in nanoseconds, as the
// kernel side counts it. Values below SubBuckets have a bucket each; above,
// each octave is cut into SubBuckets equal buckets. The zero value is empty.
type Histogram struct {
	Count uint64 `json:"count"`
	SumNS uint64 `json:"sum_ns"`
	// MaxNS is the largest value seen.
	MaxNS uint64 `json:"max_ns"`
	// Index and Counts are the occupied buckets, ascending.
	Index  []int    `json:"index,omitempty"`
	Counts []uint64 `json:"counts,omitempty"`
}

// BucketOf returns the index of the bucket that holds v nanoseconds.
func BucketOf(v uint64) int {
	if v < SubBuckets {
		return int(v)
	}
	e := bits.Len64(v) - 1
	return (e-subBits+1)<<subBits + int(v>>(e-subBits))&(SubBuckets-1)
}

// BucketBounds returns the half-open range [low, high) of bucket i in
// nanoseconds. The last bucket's high is math.MaxUint64, which it also holds.
func BucketBounds(i int) (low, high uint64) {
	if i < SubBuckets {
		return uint64(i), uint64(i) + 1
	}
	if i >= lastBucket {
		return (2*SubBuckets - 1) << (lastBucket>>subBits - 1), math.MaxUint64
	}
	g := i>>subBits - 1
	m := uint64(i&(SubBuckets-1)) + SubBuckets
	return m << g, (m + 1) << g
}

// Observe counts one duration of v nanoseconds.
func (h *Histogram) Observe(v uint64) {
	h.Merge(Histogram{Count: 1, SumNS: v, MaxNS: v, Index: []int{BucketOf(v)}, Counts: []uint64{1}})
}

// Merge adds all that o counted to h; o is left alone and shares no memory with h.
func (h *Histogram) Merge(o Histogram) {
	h.Count += o.Count
	h.SumNS += o.SumNS
	h.MaxNS = max(h.MaxNS, o.MaxNS)
	switch { // the commonest cases, for speed
	case len(o.Index) == 0:
		return
	case len(h.Index) == 0:
		h.Index, h.Counts = slices.Clone(o.Index), slices.Clone(o.Counts)
		return
	}
	index := make([]int, 0, len(h.Index)+len(o.Index))
	counts := make([]uint64, 0, cap(index))
	i, j := 0, 0
	for i < len(h.Index) || j < len(o.Index) {
		switch {
		case j == len(o.Index) || i < len(h.Index) && h.Index[i] < o.Index[j]:
			index, counts = append(index, h.Index[i]), append(counts, h.Counts[i])
			i++
		case i == len(h.Index) || o.Index[j] < h.Index[i]:
			index, counts = append(index, o.Index[j]), append(counts, o.Counts[j])
			j++
		default:
			index, counts = append(index, h.Index[i]), append(counts, h.Counts[i]+o.Counts[j])
			i, j = i+1, j+1
		}
	}
	h.Index, h.Counts = index, counts
}

// Quantile returns the duration in nanoseconds that the share q of all values
// does not exceed, interpolated linearly inside its bucket and never above
// MaxNS. It is off by at most the width of one bucket. A q outside 0 to 1 is
// taken as the nearer end. ok is false when the histogram is empty.
func (h Histogram) Quantile(q float64) (ns float64, ok bool) {
	if h.Count == 0 || len(h.Index) == 0 {
		return 0, false
	}
	// The rank-th smallest value is sought, as by the nearest-rank definition.
	rank := math.Max(1, math.Ceil(q*float64(h.Count)))
	if rank >= float64(h.Count) {
		return float64(h.MaxNS), true
	}
	var below float64
	for i, b := range h.Index {
		n := float64(h.Counts[i])
		if below+n >= rank {
			low, high := BucketBounds(b)
			// A bucket of whole numbers ends at high-1, not at high.
			width := float64(high - 1 - low)
			return math.Min(float64(low)+width*(rank-below-0.5)/n, float64(h.MaxNS)), true
		}
		below += n
	}
	return float64(h.MaxNS), true
}

// Mean returns the mean in nanoseconds, exact but for rounding; ok is false
// when the histogram is empty.
func (h Histogram) Mean() (ns float64, ok bool) {
	if h.Count == 0 {
		return 0, false
	}
	return float64(h.SumNS) / float64(h.Count), true
}

// Validate returns an error that says what is wrong when the histogram is not
// one that counting could have made.
func (h Histogram) Validate() error {
	if len(h.Index) != len(h.Counts) {
		return fmt.Errorf("%d bucket indexes but %d counts", len(h.Index), len(h.Counts))
	}
	var sum uint64
	for i, b := range h.Index {
		if b < 0 || b > lastBucket {
			return fmt.Errorf("bucket %d is outside 0 to %d", b, lastBucket)
		}
		if i > 0 && b <= h.Index[i-1] {
			return fmt.Errorf("bucket %d follows bucket %d", b, h.Index[i-1])
		}
		var carry uint64
		if sum, carry = bits.Add64(sum, h.Counts[i], 0); carry != 0 || h.Counts[i] == 0 {
			return fmt.Errorf("bucket %d holds an impossible count of %d", b, h.Counts[i])
		}
	}
	if sum != h.Count {
		return fmt.Errorf("buckets hold %d values but the count is %d", sum, h.Count)
	}
	if h.Count == 0 && (h.SumNS > 0 || h.MaxNS > 0) {
		return fmt.Errorf("no values but a sum of %d ns and a longest of %d ns", h.SumNS, h.MaxNS)
	}
	return nil
}
