// Package histogram has the log-linear histograms of durations that the BPF programs count, and
// their JSON.
package histogram

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/bits"
)

// SubBuckets is the number of buckets in each octave of a Histogram: a bucket
// is at most 1/16 of its lower bound wide.
const SubBuckets = 16

const (
	subBits = 4
	// lastBucket is BucketOf(math.MaxUint64).
	lastBucket = (64-subBits)<<subBits + SubBuckets - 1
)

// Histogram is a log-linear distribution of durations in nanoseconds, with the same
// buckets as in the BPF programs. Values below SubBuckets have a bucket each; above,
// each octave is divided into SubBuckets equal buckets. The zero value is empty.
// Histograms that have counted the same values are equal by ==.
type Histogram struct {
	Count uint64
	SumNS uint64
	// MaxNS is the largest value counted.
	MaxNS uint64
	// buckets are the occupied buckets, ascending, as varints: for each one the number of
	// empty buckets before it, and the number of values in it. So a bucket takes two or
	// three bytes; a run has tens of thousands of histograms.
	buckets string
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

// New returns a histogram with counts[i] values in bucket i. maxNS is the largest value
// and sumNS the sum of all values.
func New(counts []uint64, sumNS, maxNS uint64) Histogram {
	h := Histogram{SumNS: sumNS, MaxNS: maxNS}
	p := newPacker()
	for i, n := range counts {
		if n > 0 {
			h.Count += n
			p = p.add(i, n)
		}
	}
	h.buckets = string(p.text)
	return h
}

// Buckets yields the index of each occupied bucket, ascending, and how many values
// the bucket holds.
func (h Histogram) Buckets() iter.Seq2[int, uint64] {
	return func(yield func(int, uint64) bool) {
		next := 0
		for rest := h.buckets; rest != ""; next++ {
			var gap, n uint64
			gap, rest = uvarint(rest)
			n, rest = uvarint(rest)
			next += int(gap)
			if !yield(next, n) {
				return
			}
		}
	}
}

// uvarint reads what binary.AppendUvarint wrote.
func uvarint(s string) (v uint64, rest string) {
	for i := 0; ; i++ {
		v |= uint64(s[i]&0x7f) << (7 * i)
		if s[i] < 0x80 {
			return v, s[i+1:]
		}
	}
}

// packer encodes a Histogram's buckets. It is passed by value, so that its text can be
// on the stack.
type packer struct {
	text []byte
	next int // the lowest index that may follow
}

func newPacker() packer { return packer{text: make([]byte, 0, 256)} }

// add appends a bucket with n > 0 values. Its index must be above those before it.
func (p packer) add(bucket int, n uint64) packer {
	p.text = binary.AppendUvarint(p.text, uint64(bucket-p.next))
	p.text = binary.AppendUvarint(p.text, n)
	p.next = bucket + 1
	return p
}

// check returns an error if such a bucket cannot be added.
func (p packer) check(bucket int, n uint64) error {
	switch {
	case bucket < 0 || bucket > lastBucket:
		return fmt.Errorf("bucket %d is outside 0 to %d", bucket, lastBucket)
	case bucket < p.next:
		return fmt.Errorf("bucket %d follows bucket %d", bucket, p.next-1)
	case n == 0:
		return fmt.Errorf("bucket %d is listed and empty", bucket)
	}
	return nil
}

// Merge adds the values of o to h.
func (h *Histogram) Merge(o Histogram) {
	switch { // the most frequent cases first, for speed
	case o == Histogram{}:
		return
	case *h == Histogram{}:
		*h = o
		return
	}
	var sum Sum
	sum.Add(*h)
	sum.Add(o)
	*h = sum.Histogram()
}

// Quantile returns the duration in nanoseconds that the share q of all values
// does not exceed, interpolated linearly inside its bucket and never above
// MaxNS. Its error is at most the width of one bucket. A q below 0 is taken as 0, and one
// above 1 as 1. ok is false if the histogram is empty.
func (h Histogram) Quantile(q float64) (ns float64, ok bool) {
	if h.Count == 0 || h.buckets == "" {
		return 0, false
	}
	// By the nearest-rank definition the quantile is the rank-th smallest value.
	rank := math.Max(1, math.Ceil(q*float64(h.Count)))
	if rank >= float64(h.Count) {
		return float64(h.MaxNS), true
	}
	var below float64
	for b, count := range h.Buckets() {
		n := float64(count)
		if below+n >= rank {
			low, high := BucketBounds(b)
			// The largest whole number in the bucket is high-1.
			width := float64(high - 1 - low)
			return math.Min(float64(low)+width*(rank-below-0.5)/n, float64(h.MaxNS)), true
		}
		below += n
	}
	return float64(h.MaxNS), true
}

// Mean returns the mean in nanoseconds, which is exact except for rounding; ok is false
// if the histogram is empty.
func (h Histogram) Mean() (ns float64, ok bool) {
	if h.Count == 0 {
		return 0, false
	}
	return float64(h.SumNS) / float64(h.Count), true
}

// Validate returns an error if no values that are counted can give this histogram.
func (h Histogram) Validate() error {
	var sum uint64
	for _, n := range h.Buckets() {
		var carry uint64
		if sum, carry = bits.Add64(sum, n, 0); carry != 0 {
			return errors.New("buckets hold more values than can be counted")
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
