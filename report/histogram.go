package report

import (
	"math/bits"
)

// SubBuckets is the number of buckets in each octave of a Histogram: a bucket
// is at most 1/16 of its lower bound wide.
const SubBuckets = 16

const subBits = 4

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

// BucketBounds returns the half-open range [low, high) of bucket i in nanoseconds.
func BucketBounds(i int) (low, high uint64) {
	if i < SubBuckets {
		return uint64(i), uint64(i) + 1
	}
	g := i>>subBits - 1
	m := uint64(i&(SubBuckets-1)) + SubBuckets
	return m << g, (m + 1) << g
}
