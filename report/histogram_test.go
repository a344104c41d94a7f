package report_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/slicetrace/slicetrace/report"
	"github.com/slicetrace/slicetrace/report/reporttest"
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

func observe(values []uint64) report.Histogram { return reporttest.HistogramOf(1, values...) }

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
	wrong := report.NewHistogram([]uint64{1: 2}, 0, 1)
	wrong.Count = 3
	for name, h := range map[string]report.Histogram{
		"wrong count":    wrong,
		"no buckets":     {Count: 1},
		"overflow":       report.NewHistogram([]uint64{1: math.MaxUint64, 2: 2}, 0, 2),
		"sum of nothing": {SumNS: 1},
	} {
		if err := h.Validate(); err == nil {
			t.Errorf("%s: %+v is taken as valid", name, h)
		}
	}
}

// A histogram gives back the buckets that it was made of, to the last.
func TestBucketsAreKept(t *testing.T) {
	random := rand.New(rand.NewPCG(23, 29))
	for range 1000 {
		want := make([]uint64, 1+random.IntN(976))
		for range random.IntN(50) {
			want[random.IntN(len(want))] = random.Uint64() >> random.IntN(64)
		}
		got := make([]uint64, len(want))
		last := -1
		for b, n := range report.NewHistogram(want, 0, 0).Buckets() {
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

// A run keeps all its trials until the report is made of them, and shall disturb
// little meanwhile. Those of a default run on two cores fit into a few MiB.
func TestTrialsAreSmall(t *testing.T) {
	r := reporttest.Full(12, 2)
	text, err := json.Marshal(r.Trials)
	if err != nil {
		t.Fatal(err)
	}
	r = nil
	var before, after runtime.MemStats
	collect := func() { runtime.GC(); runtime.GC() } // what pools hold goes with the second
	collect()
	runtime.ReadMemStats(&before)
	var trials []report.Trial
	if err := json.Unmarshal(text, &trials); err != nil {
		t.Fatal(err)
	}
	collect()
	runtime.ReadMemStats(&after)
	held := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	t.Logf("%d trials take %d KiB, and %d as text", len(trials), held>>10, len(text)>>10)
	if limit := int64(5 << 20); held > limit {
		t.Errorf("%d trials take %d bytes, allowed are %d", len(trials), held, limit)
	}
	runtime.KeepAlive(text)
	runtime.KeepAlive(trials)
}
