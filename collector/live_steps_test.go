package collector

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/slicetrace/slicetrace/bpf"
	"github.com/slicetrace/slicetrace/report/histogram"
)

// Each value that a distribution can hold is shown in a bucket of its own step, and so at most half an
// octave from where it is.
func TestStepsAndBuckets(t *testing.T) {
	const last = len(bpf.Dists{}.Waits) - 1
	random := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		v := uint64(math.Exp2(39 * random.Float64()))
		step := stepOf(histogram.BucketOf(v))
		if step < 0 || step > last || stepOf(stepBucket(step)) != step {
			t.Fatalf("%d is in step %d of %d", v, step, last)
		}
		low, high := histogram.BucketBounds(stepBucket(step))
		if v < 128 {
			continue // all in the first
		}
		if float64(v) > 1.5*float64(high) || 1.5*float64(v) < float64(low) {
			t.Fatalf("%d is shown as %d to %d", v, low, high)
		}
	}
	if got := stepOf(histogram.BucketOf(math.MaxUint64)); got != last {
		t.Errorf("the longest is in step %d of %d", got, last)
	}
}

// The longest value is in its own bucket, and is the maximum; without it, the bottom of the highest bucket is.
func TestStepHistogram(t *testing.T) {
	const n = len(bpf.Dists{}.Waits)
	step := func(v uint64) int { return stepOf(histogram.BucketOf(v)) }
	for _, c := range []struct {
		name    string
		values  []uint64 // since then
		longest uint64
		count   uint64
		most    uint64
	}{
		{"nothing", nil, 0, 0, 0},
		{"nothing new is longest", nil, 700, 0, 0},
		{"one", []uint64{1000}, 1000, 1, 1000},
		{"shorter than any step", []uint64{0, 5}, 5, 2, 5},
		{"two of a step", []uint64{1000, 1001}, 1001, 2, 1001},
		{"beyond the last step", []uint64{1 << 45}, 1 << 45, 1, 1 << 45},
	} {
		then, now := make([]uint32, n), make([]uint32, n)
		for i := range then {
			then[i] = math.MaxUint32 // wraps
			now[i] = then[i]
		}
		sum := uint64(0)
		for _, v := range c.values {
			now[step(v)]++
			sum += v
		}
		h := stepHistogram(now, then, sum, c.longest)
		if err := h.Validate(); err != nil || h.Count != c.count || h.MaxNS != c.most || h.Count > 0 && h.SumNS != sum {
			t.Errorf("%s: %+v, %v", c.name, h, err)
		}
		for bucket := range h.Buckets() {
			if low, _ := histogram.BucketBounds(bucket); low > h.MaxNS {
				t.Errorf("%s: a value in a bucket from %d on, the longest is %d", c.name, low, h.MaxNS)
			}
		}
	}
	// The record was copied before a later, longer value came into the distribution.
	then, now := make([]uint32, n), make([]uint32, n)
	now[step(1000)]++
	now[step(1<<20)]++
	h := stepHistogram(now, then, 1000, 1000)
	low, _ := histogram.BucketBounds(stepBucket(step(1 << 20)))
	if h.Count != 2 || h.MaxNS != low {
		t.Errorf("with one that came later: %+v", h)
	}
}
