package collector

import (
	"math"
	"testing"
)

// A slot of the kernel's may wrap once between two readings.
func TestBucketsThatWrap(t *testing.T) {
	var h latencies
	last := uint32(0)
	for i, row := range []struct {
		now  uint32
		want uint64
	}{
		{10, 10},
		{math.MaxUint32, math.MaxUint32},
		{0, 1 << 32},
		{math.MaxUint32, 1<<32 + math.MaxUint32},
		{math.MaxUint32 - 1, 2<<32 + math.MaxUint32 - 1},
	} {
		h.grow([]uint32{row.now}, []uint32{last}, 0, 0)
		if last = row.now; h.bucket[0] != row.want {
			t.Errorf("reading %d: %d, want %d", i, h.bucket[0], row.want)
		}
	}
	if wraps := float64(math.MaxUint32) / 1e6; readEvery.Seconds() > wraps/3 {
		t.Errorf("the slots are read every %v, and wrap after %.0f s", readEvery, wraps)
	}
}
