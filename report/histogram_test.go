package report_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slicetrace/slicetrace/report"
)

// The kernel side computes the same indexes: a change here must be made there.
func TestBucketScheme(t *testing.T) {
	for _, c := range []struct {
		v         uint64
		bucket    int
		low, high uint64
	}{
		{0, 0, 0, 1},
		{1, 1, 1, 2},
		{15, 15, 15, 16},
		{16, 16, 16, 17},
		{31, 31, 31, 32},
		{32, 32, 32, 34},
		{33, 32, 32, 34},
		{34, 33, 34, 36},
		{249, 79, 248, 256},
		{256, 80, 256, 272},
		{371, 87, 368, 384},
		{3220, 137, 3200, 3328},
		{4_000_000, 302, 3_932_160, 4_063_232},
		{1 << 32, 464, 1 << 32, 17 << 28},
		{math.MaxUint64, 975, 31 << 59, math.MaxUint64},
	} {
		if got := report.BucketOf(c.v); got != c.bucket {
			t.Errorf("BucketOf(%d) = %d, want %d", c.v, got, c.bucket)
		}
		if low, high := report.BucketBounds(c.bucket); low != c.low || high != c.high {
			t.Errorf("BucketBounds(%d) = %d, %d, want %d, %d", c.bucket, low, high, c.low, c.high)
		}
	}
}

func TestBucketsLeaveNoGap(t *testing.T) {
	for i := range 975 {
		low, high := report.BucketBounds(i)
		next, _ := report.BucketBounds(i + 1)
		if high != next || report.BucketOf(low) != i || report.BucketOf(high-1) != i {
			t.Fatalf("bucket %d is [%d, %d), bucket %d begins at %d", i, low, high, i+1, next)
		}
		if low >= report.SubBuckets && (high-low)*report.SubBuckets > low {
			t.Fatalf("bucket %d is wider than 1/%d of %d", i, report.SubBuckets, low)
		}
	}
}

// values returns durations over many octaves, some of them equal.
func values(random *rand.Rand, n int) []uint64 {
	out := make([]uint64, n)
	for i := range out {
		out[i] = random.Uint64() >> random.IntN(64)
		if i > 0 && random.IntN(4) == 0 {
			out[i] = out[random.IntN(i)]
		}
	}
	return out
}

func observe(values []uint64) report.Histogram {
	var h report.Histogram
	for _, v := range values {
		h.Observe(v)
	}
	return h
}

func TestQuantileIsOffByAtMostOneBucket(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 13))
	for range 300 {
		vs := values(random, 1+random.IntN(200))
		h := observe(vs)
		slices.Sort(vs)
		for _, q := range []float64{-1, 0, 0.01, 0.5, 0.9, 0.99, 1, 2} {
			rank := int(math.Ceil(min(1, max(0, q)) * float64(len(vs))))
			exact := vs[max(rank, 1)-1]
			low, high := report.BucketBounds(report.BucketOf(exact))
			got, ok := h.Quantile(q)
			if !ok || got < float64(low) || got > float64(high) {
				t.Fatalf("quantile %v of %v is %v, %v, want about %d, in [%d, %d]", q, vs, got, ok, exact, low, high)
			}
			if got > float64(h.MaxNS) {
				t.Fatalf("quantile %v is %v, above the longest value %d", q, got, h.MaxNS)
			}
		}
	}
}

func TestQuantileIsExactWhereBucketsAre(t *testing.T) {
	h := observe([]uint64{3, 3, 5, 9})
	for q, want := range map[float64]float64{0: 3, 0.5: 3, 0.75: 5, 1: 9} {
		if got, _ := h.Quantile(q); got != want {
			t.Errorf("quantile %v = %v, want %v", q, got, want)
		}
	}
}

func TestMergeEqualsObservingAll(t *testing.T) {
	random := rand.New(rand.NewPCG(17, 19))
	for range 100 {
		a, b := values(random, random.IntN(60)), values(random, random.IntN(60))
		merged, other := observe(a), observe(b)
		before := observe(b)
		merged.Merge(other)
		if diff := cmp.Diff(observe(slices.Concat(a, b)), merged); diff != "" && len(a)+len(b) > 0 {
			t.Fatalf("merge differs from observing all (-want +got):\n%s", diff)
		}
		if err := merged.Validate(); err != nil {
			t.Fatalf("validate: %v", err)
		}
		merged.Observe(7)
		if diff := cmp.Diff(before, other); diff != "" {
			t.Fatalf("merge changed its argument:\n%s", diff)
		}
	}
}

func TestEmptyHistogramHasNoFigures(t *testing.T) {
	var h report.Histogram
	if _, ok := h.Quantile(0.5); ok {
		t.Error("an empty histogram has a median")
	}
	if _, ok := h.Mean(); ok {
		t.Error("an empty histogram has a mean")
	}
	if err := h.Validate(); err != nil {
		t.Error(err)
	}
}

func TestMean(t *testing.T) {
	h := observe([]uint64{1, 2, 6})
	if mean, ok := h.Mean(); !ok || mean != 3 {
		t.Errorf("mean = %v, %v, want 3", mean, ok)
	}
}

func TestValidateRefusesImpossibleHistograms(t *testing.T) {
	for name, h := range map[string]report.Histogram{
		"lengths differ":  {Count: 1, Index: []int{1, 2}, Counts: []uint64{1}},
		"descending":      {Count: 2, Index: []int{2, 1}, Counts: []uint64{1, 1}},
		"twice":           {Count: 2, Index: []int{2, 2}, Counts: []uint64{1, 1}},
		"negative bucket": {Count: 1, Index: []int{-1}, Counts: []uint64{1}},
		"bucket too high": {Count: 1, Index: []int{976}, Counts: []uint64{1}},
		"empty bucket":    {Count: 0, Index: []int{1}, Counts: []uint64{0}},
		"wrong count":     {Count: 3, Index: []int{1}, Counts: []uint64{2}},
		"overflow":        {Count: 1, Index: []int{1, 2}, Counts: []uint64{math.MaxUint64, 2}},
		"sum of nothing":  {SumNS: 1},
	} {
		if err := h.Validate(); err == nil {
			t.Errorf("%s: %+v is taken as valid", name, h)
		}
	}
}
