package report

import (
	"math/rand/v2"
	"testing"
)

func TestTallyEqualsMerge(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		var sum tally
		var want Histogram
		for range random.IntN(5) {
			var h Histogram
			for range random.IntN(20) {
				h.Observe(random.Uint64() >> random.IntN(64))
			}
			sum.add(h)
			want.Merge(h)
		}
		if got := sum.histogram(); got != want {
			t.Fatalf("tallied %+v, merged %+v", got, want)
		}
	}
}
