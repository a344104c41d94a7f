package histogram_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/slicetrace/slicetrace/report/histogram"
	"github.com/slicetrace/slicetrace/report/reporttest"
)

// The BPF programs compute the same indexes: a change here must be made there too.
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
		if got := histogram.BucketOf(c.v); got != c.bucket {
			t.Errorf("BucketOf(%d) = %d, want %d", c.v, got, c.bucket)
		}
		if low, high := histogram.BucketBounds(c.bucket); low != c.low || high != c.high {
			t.Errorf("BucketBounds(%d) = %d, %d, want %d, %d", c.bucket, low, high, c.low, c.high)
		}
	}
}

func TestBucketsLeaveNoGap(t *testing.T) {
	for i := range 975 {
		low, high := histogram.BucketBounds(i)
		next, _ := histogram.BucketBounds(i + 1)
		if high != next || histogram.BucketOf(low) != i || histogram.BucketOf(high-1) != i {
			t.Fatalf("bucket %d is [%d, %d), bucket %d begins at %d", i, low, high, i+1, next)
		}
		if low >= histogram.SubBuckets && (high-low)*histogram.SubBuckets > low {
			t.Fatalf("bucket %d is wider than 1/%d of %d", i, histogram.SubBuckets, low)
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

func observe(values []uint64) histogram.Histogram { return reporttest.HistogramOf(1, values...) }

func TestQuantileIsOffByAtMostOneBucket(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 13))
	for range 300 {
		vs := values(random, 1+random.IntN(200))
		h := observe(vs)
		slices.Sort(vs)
		for _, q := range []float64{-1, 0, 0.01, 0.5, 0.9, 0.99, 1, 2} {
			rank := int(math.Ceil(min(1, max(0, q)) * float64(len(vs))))
			exact := vs[max(rank, 1)-1]
			low, high := histogram.BucketBounds(histogram.BucketOf(exact))
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
		merged.Merge(other)
		if want := observe(slices.Concat(a, b)); merged != want {
			t.Fatalf("merged %+v, observed %+v", merged, want)
		}
		if err := merged.Validate(); err != nil {
			t.Fatalf("validate: %v", err)
		}
	}
}

func TestEmptyHistogramHasNoFigures(t *testing.T) {
	var h histogram.Histogram
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
	wrong := histogram.New([]uint64{1: 2}, 0, 1)
	wrong.Count = 3
	for name, h := range map[string]histogram.Histogram{
		"wrong count":    wrong,
		"no buckets":     {Count: 1},
		"overflow":       histogram.New([]uint64{1: math.MaxUint64, 2: 2}, 0, 2),
		"sum of nothing": {SumNS: 1},
	} {
		if err := h.Validate(); err == nil {
			t.Errorf("%s: %+v is accepted as valid", name, h)
		}
	}
}

// A histogram returns all the buckets that it was made of.
func TestBucketsAreKept(t *testing.T) {
	random := rand.New(rand.NewPCG(23, 29))
	for range 1000 {
		want := make([]uint64, 1+random.IntN(976))
		for range random.IntN(50) {
			want[random.IntN(len(want))] = random.Uint64() >> random.IntN(64)
		}
		got := make([]uint64, len(want))
		last := -1
		for b, n := range histogram.New(want, 0, 0).Buckets() {
			if b <= last || n == 0 {
				t.Fatalf("bucket %d with %d values follows bucket %d", b, n, last)
			}
			got[b], last = n, b
		}
		if !slices.Equal(got, want) {
			t.Fatalf("made of %v, holds %v", want, got)
		}
	}
}
